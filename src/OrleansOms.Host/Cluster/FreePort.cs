using System.Net;
using System.Net.Sockets;

namespace OrleansOms.Host.Cluster;

/// <summary>Ports on which nobody listens.</summary>
static class FreePort
{
    /// <summary>One of this machine's loopback address, at this moment.</summary>
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
