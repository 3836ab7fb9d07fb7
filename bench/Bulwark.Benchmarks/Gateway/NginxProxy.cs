using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>nginx with mutual TLS 1.3 in front of a plain server on the same machine: how a model server is protected as a rule. It checks neither token nor policy nor input.</summary>
internal sealed class NginxProxy : IDisposable
{
    private readonly Process _process;

    private NginxProxy(Process process, int port) => (_process, Port) = (process, port);

    internal int Port { get; }

    /// <summary>Processor time of nginx, its workers included.</summary>
    internal double CpuMicroseconds => Family().Sum(CpuOf);

    /// <summary>Starts it; null when it is not installed.</summary>
    internal static async Task<NginxProxy?> StartAsync(GatewayStage stage, int upstream)
    {
        var program = ((string[])["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]).FirstOrDefault(File.Exists);
        if (program is null || !OperatingSystem.IsLinux())
            return null;
        var port = FreePort();
        var (folder, pki) = (stage.PathOf("nginx"), stage.Identity.Folder);
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"),
            $$"""
            daemon off; worker_processes auto; pid {{folder}}/pid; error_log stderr error;
            events { worker_connections 4096; }
            http {
              access_log off; client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy; fastcgi_temp_path {{folder}}/f; uwsgi_temp_path {{folder}}/u; scgi_temp_path {{folder}}/s;
              upstream models { server 127.0.0.1:{{upstream}}; keepalive 128; keepalive_requests 1000000000; }
              server {
                listen 127.0.0.1:{{port}} ssl; keepalive_requests 1000000000;
                ssl_protocols TLSv1.3; ssl_certificate {{pki}}/server.crt; ssl_certificate_key {{pki}}/server.key;
                ssl_client_certificate {{pki}}/ca.crt; ssl_verify_client on; ssl_session_tickets off;
                location / { proxy_pass http://models; proxy_http_version 1.1; proxy_set_header Connection ""; }
              }
            }
            """);
        var start = new ProcessStartInfo(program) { ArgumentList = { "-p", folder, "-c", Path.Combine(folder, "nginx.conf") } };
        var proxy = new NginxProxy(Process.Start(start)!, port);
        for (var attempt = 0; attempt < 200; attempt++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return proxy;
            }
            catch (SocketException) when (!proxy._process.HasExited)
            {
                await Task.Delay(25);
            }
        }

        proxy.Dispose();
        throw new InvalidOperationException("nginx did not start; what it says stands above.");
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private IEnumerable<int> Family() =>
        [_process.Id, .. File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

    /// <summary>The kernel's own count of nanoseconds on a processor.</summary>
    private static double CpuOf(int process) =>
        double.Parse(File.ReadAllText($"/proc/{process}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
