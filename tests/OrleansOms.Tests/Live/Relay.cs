using System.Net;
using System.Net.Sockets;

namespace OrleansOms.Tests.Live;

/// <summary>A wire between clients and a server that can be cut, and of which one end can be left unread.</summary>
sealed class Relay : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Lock _gate = new();
    readonly List<Socket> _sockets = [];
    readonly Func<int> _targetPort;
    readonly Task _accepting;
    long _toServer;

    /// <summary>Begins to listen; the target is asked for at each connection.</summary>
    public Relay(Func<int> targetPort)
    {
        _targetPort = targetPort;
        _listener.Start();
        _accepting = Accept();
    }

    /// <summary>Where clients connect.</summary>
    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Connections that were made through it.</summary>
    public int Connections { get; private set; }

    /// <summary>While it is so, what the server says is swallowed; what clients say still arrives.</summary>
    public bool IsMute { get; set; }

    /// <summary>Bytes that clients have said and the server has been given.</summary>
    public long BytesToServer => Interlocked.Read(ref _toServer);

    /// <summary>Cuts every connection in the middle of whatever it says.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var socket in _sockets)
            {
                try { socket.LingerState = new LingerOption(true, 0); }
                catch (ObjectDisposedException) { continue; } // Closed from the other end.
                socket.Dispose();
            }
            _sockets.Clear();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
    }

    async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                lock (_gate) _sockets.AddRange([client, server]);
                Connections++;
                _ = Join(client, server);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { return; }
        }
    }

    async Task Join(Socket client, Socket server)
    {
        using (client)
        using (server)
        {
            try { await server.ConnectAsync(IPAddress.Loopback, _targetPort()); }
            catch (SocketException) { return; } // The server is away: the client sees its connection closed.
            await Task.WhenAny(
                Copy(client, server, n => Interlocked.Add(ref _toServer, n)), Copy(server, client, _ => { }, canBeMute: true));
        }
    }

    async Task Copy(Socket from, Socket to, Action<int> count, bool canBeMute = false)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var n)
            {
                if (canBeMute && IsMute) continue;
                await to.SendAsync(buffer.AsMemory(0, n));
                count(n);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { return; }
    }
}
