using System.Globalization;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Host.Errors;

/// <summary>
/// Collects what is wrong with a request: members that are malformed (400), or, if all are well formed, the first one
/// that has no meaning here (422).
/// </summary>
public sealed class Findings
{
    /// <summary>Stands for the body as a whole where no member can be named.</summary>
    public const string WholeBody = "$";

    /// <summary>Members named in one answer; the others wait for the next try.</summary>
    const int MaxMembers = 100;

    Dictionary<string, IReadOnlyList<string>>? _errors;
    string _code = "invalid_request";
    string? _detail;

    /// <summary>Whether nothing is malformed so far.</summary>
    public bool IsEmpty => _errors is null;

    /// <summary>Notes that a member is malformed.</summary>
    /// <param name="code">A code of its own, for what programs want to tell apart.</param>
    public void Add(string member, string text, string? code = null)
    {
        _errors ??= new(StringComparer.Ordinal);
        if (code is not null && _detail is null) (_code, _detail) = (code, text);
        if (_errors.Count < MaxMembers) _errors.TryAdd(member, [text]);
    }

    /// <summary>A member that must be there and printable.</summary>
    public void Text(string member, string? value, int max)
    {
        if (value is null) Add(member, "It is required.");
        else OptionalText(member, value, max);
    }

    /// <summary>A member that may be absent, but not blank, too long or unprintable.</summary>
    public void OptionalText(string member, string? value, int max)
    {
        if (value is null) return;
        if (string.IsNullOrWhiteSpace(value)) Add(member, "It must not be blank.");
        else if (value.Length > max) Add(member, string.Create(
            CultureInfo.InvariantCulture, $"It must have at most {max} characters."));
        else if (!Domain.Shared.Text.IsPrintable(value, max)) Add(member, "It must not hold control characters.");
    }

    /// <summary>A SKU's shape.</summary>
    public void Sku(string member, string? value)
    {
        if (value is null) Add(member, "It is required.");
        else if (!Domain.Shared.Text.IsSku(value))
            Add(member, "It must be 1 to 64 printable characters without blanks at its ends.");
    }

    /// <summary>A whole number between two bounds.</summary>
    public void Between(string member, int? value, int min, int max)
    {
        if (value is null) Add(member, "It is required.");
        else if (value < min || value > max)
            Add(member, string.Create(CultureInfo.InvariantCulture, $"It must be between {min:N0} and {max:N0}."));
    }

    /// <summary>An amount of money: not negative, not above a limit, no more decimals than its currency has.</summary>
    public void Amount(string member, decimal? value, string? currency, decimal max)
    {
        if (value is null) Add(member, "It is required.");
        else if (value < 0 || value > max)
            Add(member, string.Create(CultureInfo.InvariantCulture, $"It must be between 0 and {max:N0}."));
        else if (Currency.IsKnown(currency) && !Currency.Fits(value.Value, currency!))
            Add(member, string.Create(
                CultureInfo.InvariantCulture, $"{currency} has at most {Currency.MinorUnits(currency!)} decimals."));
    }

    /// <summary>The member's value by its word; notes it if it is not one of the words.</summary>
    public T Word<T>(string member, string? value, IReadOnlyDictionary<string, T> words, T? ifAbsent = null)
        where T : struct
    {
        if (value is null && ifAbsent is { } absent) return absent;
        if (value is not null && words.TryGetValue(value, out var word)) return word;
        Add(member, value is null ? "It is required." : $"It must be one of: {string.Join(", ", words.Keys)}.");
        return default;
    }

    /// <summary>Ends the request with 400 if anything is malformed.</summary>
    /// <exception cref="ProblemException">Something is.</exception>
    public void Throw()
    {
        if (_errors is not null) throw new ProblemException(ToProblem(_errors));
    }

    /// <summary>A 400 for one member.</summary>
    public static ProblemException Of(string member, string text, string? code = null)
    {
        var findings = new Findings();
        findings.Add(member, text, code);
        return new ProblemException(findings.ToProblem(findings._errors!));
    }

    Problem ToProblem(Dictionary<string, IReadOnlyList<string>> errors)
    {
        var (member, texts) = errors.First();
        return new Problem(400, _code, _detail ?? $"{member}: {texts[0]}") { Errors = errors };
    }
}
