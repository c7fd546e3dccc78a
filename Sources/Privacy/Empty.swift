enum EmptyPrivacy {}
