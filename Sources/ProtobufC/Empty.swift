enum EmptyProtobufC {}
