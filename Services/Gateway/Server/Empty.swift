enum EmptyGatewayServer {}
