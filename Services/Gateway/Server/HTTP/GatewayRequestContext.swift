package import Hummingbird
internal import NIOCore

/// What a request comes with besides itself: the connection, for its address and for live feeds.
package struct GatewayRequestContext: InitializableFromSource, Sendable {
    package typealias Source = ApplicationRequestContextSource

    let channel: any Channel

    package init(source: ApplicationRequestContextSource) { channel = source.channel }
}
