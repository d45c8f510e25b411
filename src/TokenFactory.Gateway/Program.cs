using TokenFactory.Gateway.Commands;

return await GatewayCommand.RunAsync(args);
