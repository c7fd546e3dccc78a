enum EmptyChatCore {}
