using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.SignalR;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Chaos;

/// <summary>What was shown at one moment of a watch.</summary>
/// <param name="What">The push's name; null for the answer to a call that began the watch, or began it again.</param>
sealed record Seen(string? What, JsonNode Value)
{
    public bool IsAnswer => What is null;
}

/// <summary>One thing that a client watches, on one connection after the other, as the surface says.</summary>
/// <param name="name">What is watched, as the hub's calls name it.</param>
/// <param name="of">The argument of these calls; null if they have none.</param>
/// <param name="isMine">Whether a push belongs to this watch.</param>
sealed class KeptWatch(LiveClient client, string name, string? of, Func<string, JsonNode, bool> isMine)
{
    readonly SemaphoreSlim _turn = new(1);
    readonly ConcurrentQueue<Answer> _answers = new();
    readonly object?[] _arguments = of is null ? [] : [of];
    string? _connection;

    /// <param name="Heard">Pushes that had been heard when it was asked for: those that follow are its own.</param>
    sealed record Answer(int Heard, JsonNode Value);

    /// <summary>Whether the client has let it go.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Watches, unless this connection does already or it was let go.</summary>
    public async Task Begin()
    {
        await _turn.WaitAsync();
        var connection = client.ConnectionId;
        try
        {
            if (IsOver || connection is null || connection == _connection) return;
            var heard = client.Heard.Count;
            _answers.Enqueue(new Answer(heard, await client.CallAgain($"Watch{name}", _arguments)));
            _connection = connection;
        }
        catch (Exception e) when (e is not HubException || client.ConnectionId != connection)
        {
            // Cut during the call: all are watched again when the connection is back.
        }
        finally { _turn.Release(); }
    }

    /// <summary>Lets it go.</summary>
    public async Task End()
    {
        await _turn.WaitAsync();
        IsOver = true;
        try { await client.Do($"Unwatch{name}", _arguments); }
        catch (Exception e) when (e is not HubException)
        {
            // Cut: on the next connection it is not watched.
        }
        finally { _turn.Release(); }
    }

    /// <summary>What a screen shows that believes whatever comes: each answer, and then the pushes of its watch.</summary>
    public IReadOnlyList<Seen> Shown()
    {
        Answer[] answers = [.. _answers];
        var pushes = client.Heard.ToArray();
        return [.. answers.SelectMany((answer, n) => pushes[answer.Heard..(n + 1 < answers.Length ? answers[n + 1].Heard : pushes.Length)]
            .Where(h => isMine(h.What, h.Value)).Select(h => new Seen(h.What, h.Value)).Prepend(new Seen(null, answer.Value)))];
    }
}
