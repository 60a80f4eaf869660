using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Http;

/// <summary>Names the commands of requests.</summary>
public static class CommandIds
{
    /// <summary>
    /// Whose command it is. With an idempotency key its id is made of the key and the body, so that the events of the
    /// aggregate tell a retry (answered as done) from a reused key (refused).
    /// </summary>
    /// <param name="stream">The aggregate's key.</param>
    /// <param name="key">The idempotency key, if there is one.</param>
    /// <param name="hash">Of the body.</param>
    /// <exception cref="ProblemException">422: the key was used with another body.</exception>
    public static async Task<Caller> CallerOf(this HttpContext http, string stream, string? key, string hash, IEventLog log)
    {
        var caller = http.Caller();
        if (key is null) return new Caller($"cmd-{Guid.NewGuid():N}", caller.Actor);
        var prefix = Keys.FromIdempotencyKey("cmd-", caller.Id, key) + "/";
        var commandId = prefix + hash[..32];
        if ((await log.ReadStream(stream)).Any(e =>
            e.CommandId != commandId && e.CommandId.StartsWith(prefix, StringComparison.Ordinal)))
            throw new ProblemException(new Problem(
                422, "idempotency_key_reused", "This key was used with another body."));
        return new Caller(commandId, caller.Actor);
    }
}
