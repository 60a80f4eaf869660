using System.Net;
using System.Net.Sockets;

namespace OrleansOms.Tests.Fixtures;

/// <summary>Ports for processes that tests start.</summary>
static class TestPort
{
    /// <summary>
    /// One on which nobody listens, below those that the system gives to connections: another test's would have it before the
    /// process that it is for has begun.
    /// </summary>
    public static int Free()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(15_000, 32_000));
            try { listener.Start(); }
            catch (SocketException) { continue; }
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
