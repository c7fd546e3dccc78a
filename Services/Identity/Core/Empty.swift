enum EmptyIdentityCore {}
