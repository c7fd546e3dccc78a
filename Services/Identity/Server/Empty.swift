enum EmptyIdentityServer {}
