import NIOCore
import NIOPosix
import Logging
enum EmptyRPC {}
