await Console.Error.WriteLineAsync("Bulwark.Server: not built yet.");
return 2;
