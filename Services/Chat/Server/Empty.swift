enum EmptyChatServer {}
