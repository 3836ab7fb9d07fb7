using System.Net;
using System.Net.Sockets;

namespace Bulwark.Tests.Servers;

/// <summary>Ports for servers that cannot be told to choose one, or that come back on the same one.</summary>
/// <remarks>
/// Never from the range that the system gives out by itself (from 32768 on Linux): between choosing and listening, or while a killed server is away,
/// any outgoing connection of any test could take such a port.
/// </remarks>
internal static class LoopbackPort
{
    private const int First = 12_000, End = 32_000;

    internal static int Choose()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, End);
            using var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // taken: another
            }
        }
    }
}
