enum EmptyStorage {}
