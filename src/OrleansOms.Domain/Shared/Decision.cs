namespace OrleansOms.Domain.Shared;

/// <summary>A fact that happened to one aggregate, in the past tense. It is stored for ever.</summary>
public abstract record DomainEvent;

/// <summary>What a decider answers: new facts, or a refusal. No facts and no refusal: already done.</summary>
/// <typeparam name="TEvent">The event family of the aggregate.</typeparam>
public readonly struct Decision<TEvent> where TEvent : DomainEvent
{
    Decision(IReadOnlyList<TEvent> events, Rejection? rejection) => (Events, Rejection) = (events, rejection);

    /// <summary>The new facts in order; empty when refused or already done.</summary>
    public IReadOnlyList<TEvent> Events { get; }

    /// <summary>Why not, or null.</summary>
    public Rejection? Rejection { get; }

    /// <summary>The command was done before: its answer is the present state.</summary>
    public static Decision<TEvent> AlreadyDone { get; } = new([], null);

    /// <summary>These facts happened.</summary>
    public static Decision<TEvent> Accept(params IReadOnlyList<TEvent> events) => new(events, null);

    /// <summary>Refused, nothing changes.</summary>
    public static Decision<TEvent> Refuse(Rejection rejection) => new([], rejection);

    /// <summary>Refused with 409.</summary>
    public static Decision<TEvent> Refuse(string code, string detail) => new([], Rejection.Conflict(code, detail));
}
