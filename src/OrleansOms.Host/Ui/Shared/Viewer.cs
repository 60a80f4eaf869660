using System.Globalization;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Ui.Shared;

/// <summary>The person in front of this page: who it is, in which time zone, and what may be seen.</summary>
public sealed class Viewer(PageLogin login, TimeProvider time)
{
    /// <summary>The cookie in which the browser tells its IANA time zone.</summary>
    public const string ZoneCookie = "oms.zone";
    /// <summary>The cookie that keeps <c>light</c> or <c>dark</c>; none means as the system.</summary>
    public const string ThemeCookie = "oms.theme";

    /// <summary>The cookie that keeps the columns of lists that someone does not want to see, with commas between.</summary>
    public const string ColumnsCookie = "oms.columns";

    readonly HashSet<string> _hiddenColumns = new(StringComparer.Ordinal);

    /// <summary>How numbers and dates are written.</summary>
    public static CultureInfo Culture { get; } = CultureInfo.GetCultureInfo("en-GB");

    /// <summary>Where the viewer's clock stands; UTC until the browser has told.</summary>
    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    /// <summary>Now, UTC.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Whether the viewer has chosen not to see a column.</summary>
    public bool HidesColumn(string id) => _hiddenColumns.Contains(id);

    /// <summary>Takes a choice; the browser keeps it for the next visit.</summary>
    public void HideColumn(string id, bool isHidden)
    {
        if (isHidden) _hiddenColumns.Add(id);
        else _hiddenColumns.Remove(id);
    }

    /// <summary>Takes the zone and the hidden columns that the browser has told; an unknown zone stays UTC.</summary>
    public void Use(string? zone, string? columns)
    {
        _hiddenColumns.UnionWith((columns ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries));
        if (zone is { Length: > 0 and < 64 } && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)) Zone = found;
    }

    /// <summary>The caller that this login stands for, as far as the page knows: for what it shows.</summary>
    /// <exception cref="LoginEndedException">Nobody is logged in any more.</exception>
    public async Task<ApiCaller> Caller() =>
        OperatorLogin.CallerOf((await login.GetAuthenticationStateAsync()).User) ?? throw new LoginEndedException();

    /// <summary>The same, after asking whether the login still holds: for each command, just before it is sent.</summary>
    /// <exception cref="LoginEndedException">It does not; the page is left for the login.</exception>
    public Task<ApiCaller> CallerOfCommand() => login.Confirm();

    /// <summary>Date and time to the second where the viewer is, with the zone.</summary>
    public string Exact(DateTimeOffset at) =>
        TimeZoneInfo.ConvertTime(at, Zone).ToString("ddd d MMM yyyy, HH:mm:ss", Culture) + $" ({Zone.Id})";

    /// <summary>Hours and minutes where the viewer is.</summary>
    public string Clock(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Zone).ToString("HH:mm", Culture);

    /// <summary>The day where the viewer is.</summary>
    public string Day(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Zone).ToString("d MMM yyyy", Culture);

    /// <summary>When the viewer's day began, UTC.</summary>
    public DateTimeOffset Today()
    {
        var local = TimeZoneInfo.ConvertTime(Now, Zone).Date;
        return new DateTimeOffset(local, Zone.GetUtcOffset(local)).ToUniversalTime();
    }

    /// <summary>How long ago in words, a date when it is more than a week; <c>app.js</c> counts on by the same rule.</summary>
    public string Ago(DateTimeOffset at)
    {
        var past = Now - at;
        return past.TotalSeconds switch
        {
            < -60 => Ahead(-past, at),
            < 60 => "just now",
            < 3600 => $"{(int)past.TotalMinutes} min ago",
            < 86_400 => (int)past.TotalHours == 1 ? "1 hour ago" : $"{(int)past.TotalHours} hours ago",
            < 7 * 86_400 => (int)past.TotalDays == 1 ? "1 day ago" : $"{(int)past.TotalDays} days ago",
            _ => Day(at),
        };
    }

    string Ahead(TimeSpan ahead, DateTimeOffset at) => ahead.TotalMinutes switch
    {
        < 60 => $"in {(int)ahead.TotalMinutes} min",
        < 1440 => (int)ahead.TotalHours == 1 ? "in 1 hour" : $"in {(int)ahead.TotalHours} hours",
        < 7 * 1440 => (int)ahead.TotalDays == 1 ? "in 1 day" : $"in {(int)ahead.TotalDays} days",
        _ => Day(at),
    };
}
