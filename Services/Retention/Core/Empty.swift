enum EmptyRetentionCore {}
