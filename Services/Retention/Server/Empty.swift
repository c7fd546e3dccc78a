enum EmptyRetentionServer {}
