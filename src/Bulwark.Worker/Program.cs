using System.Globalization;
using Bulwark.Worker;
using Bulwark.Worker.Processes;

// serve SOCKET CONNECTIONS required|insecure [WITHOUT]: the worker behind a gateway, in a sandbox; the gateway starts it.
if (args is ["serve", var socket, var connections, var sandbox, ..])
    return await WorkerServer.RunAsync(socket, int.Parse(connections, CultureInfo.InvariantCulture), sandbox != "insecure", args is [_, _, _, _, var without] ? without : "");

// Else prints what an evidence policy must list for this build of the worker: its measurement on stdout, the measured files on stderr.
foreach (var file in WorkerClosure.Files().Select(Path.GetFileName).Order(StringComparer.Ordinal))
    await Console.Error.WriteLineAsync(file);
Console.WriteLine(WorkerClosure.Measure());
return 0;
