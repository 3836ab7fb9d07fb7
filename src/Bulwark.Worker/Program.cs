await Console.Error.WriteLineAsync("Bulwark.Worker: not built yet.");
return 2;
