using OrleansOms.Host.Commands;

return await CommandLine.Run(args);
