enum EmptyGatewayCore {}
