using System.Buffers.Binary;
using System.Net.Sockets;

namespace Bulwark.Attestation.Sources;

/// <summary>Carries commands to a TPM and brings back its answers: the kernel's device file, or the bare byte stream of a software TPM.</summary>
internal sealed class TpmTransport(Stream stream, bool isDevice) : IDisposable
{
    private const int LargestResponse = 1 << 14;
    private const int HeaderSize = 10;

    /// <summary>Opens <c>/dev/tpmrm0</c> (any path), <c>unix:PATH</c> or <c>tcp:HOST:PORT</c>.</summary>
    /// <exception cref="IOException">There is no TPM at that address, or this process may not use it.</exception>
    internal static TpmTransport Open(string address)
    {
        try
        {
            if (address.StartsWith("unix:", StringComparison.Ordinal))
                return new(Connect(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), socket => socket.Connect(new UnixDomainSocketEndPoint(address["unix:".Length..]))), false);
            if (address.StartsWith("tcp:", StringComparison.Ordinal) && address.LastIndexOf(':') is > 4 and var colon && int.TryParse(address[(colon + 1)..], out var port))
                return new(Connect(new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, socket => socket.Connect(address["tcp:".Length..colon], port)), false);
            return new(new FileStream(address, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0), true);
        }
        catch (Exception failure) when (failure is SocketException or UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException or ArgumentException)
        {
            throw new IOException($"There is no TPM to be used at {address}: {failure.Message} Give /dev/tpmrm0, unix:PATH or tcp:HOST:PORT.", failure);
        }
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    internal byte[] Exchange(ReadOnlySpan<byte> command)
    {
        stream.Write(command);
        stream.Flush();
        return isDevice ? ReadDevice() : ReadStream();
    }

    public void Dispose() => stream.Dispose();

    /// <summary>The device answers one read with one response.</summary>
    private byte[] ReadDevice()
    {
        var response = new byte[LargestResponse];
        var read = stream.Read(response);
        return Checked(response.AsSpan(0, read));
    }

    private byte[] ReadStream()
    {
        var header = new byte[HeaderSize];
        stream.ReadExactly(header);
        var size = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(2));
        if (size is < HeaderSize or > LargestResponse)
            throw new TpmException($"The TPM announces an answer of {size} bytes.");
        var response = new byte[size];
        header.CopyTo(response, 0);
        stream.ReadExactly(response.AsSpan(HeaderSize));
        return response;
    }

    private static byte[] Checked(ReadOnlySpan<byte> response) =>
        response.Length >= HeaderSize && BinaryPrimitives.ReadUInt32BigEndian(response[2..]) == response.Length
            ? response.ToArray()
            : throw new TpmException($"The TPM's answer of {response.Length} bytes is not whole.");

    private static NetworkStream Connect(Socket socket, Action<Socket> connect)
    {
        try
        {
            connect(socket);
            return new(socket, ownsSocket: true) { ReadTimeout = 120_000 };   // a key on a slow chip takes tens of seconds
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
