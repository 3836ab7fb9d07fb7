using Bulwark.Worker;

// Prints what an evidence policy must list for this build of the worker: its measurement on stdout, the measured files on stderr.
foreach (var file in WorkerClosure.Files().Select(Path.GetFileName).Order(StringComparer.Ordinal))
    await Console.Error.WriteLineAsync(file);
Console.WriteLine(WorkerClosure.Measure());
return 0;
