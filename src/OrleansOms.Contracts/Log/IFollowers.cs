using Orleans;

namespace OrleansOms.Contracts.Log;

/// <summary>
/// Something that must happen once in the cluster for every event. Key: <c>fol-</c> and its name. It runs from its
/// activation on, keeps its own checkpoint, and is woken up again when it is lost.
/// </summary>
[Alias("oms.IFollower")]
public interface IFollower : IGrainWithStringKey
{
    /// <summary>Makes sure that it runs.</summary>
    [Alias("Ensure")]
    Task Ensure();
}

/// <summary>Folds the log into the read model.</summary>
[Alias("oms.IReadModelFollower")]
public interface IReadModelFollower : IFollower;

/// <summary>Carries out what orders, shipments and movements have decided.</summary>
[Alias("oms.IFulfilmentFollower")]
public interface IFulfilmentFollower : IFollower;

/// <summary>Gives arriving stock to waiting orders, oldest promise first.</summary>
[Alias("oms.IBackorderFollower")]
public interface IBackorderFollower : IFollower;

/// <summary>Holds the laws of the domain over every event.</summary>
[Alias("oms.ILawWatch")]
public interface ILawWatch : IFollower;

/// <summary>Frees reservations that no order has stored.</summary>
[Alias("oms.IReservationWatch")]
public interface IReservationWatch : IFollower;
