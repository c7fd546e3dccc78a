enum EmptyServiceKit {}
