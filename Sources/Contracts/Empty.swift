enum EmptyContracts {}
