using System.Buffers.Text;
using System.Globalization;
using System.Text;
using OrleansOms.Contracts;

namespace OrleansOms.Postgres;

/// <summary>
/// Where a page ended: the sort key and id of its last row. It names the list and order that it belongs to; it is a
/// place, not a right, so nobody gains by inventing one.
/// </summary>
static class Cursor
{
    const int MaxLength = 1000;
    static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    public static string Write(string list, string key, string id) =>
        Base64Url.EncodeToString(Utf8.GetBytes($"{list}\n{key}\n{id}"));

    /// <summary>The key and id, or null without a cursor.</summary>
    /// <param name="list">The list and its order.</param>
    /// <param name="cursor">What the caller has sent.</param>
    /// <param name="isId">Whether a text has the shape of the list's ids.</param>
    /// <exception cref="BadCursorException">It is not one of this list's.</exception>
    public static (string Key, string Id)? Read(string list, string? cursor, Func<string, bool> isId)
    {
        if (cursor is null) return null;
        if (cursor.Length > MaxLength || !Base64Url.IsValid(cursor)) throw new BadCursorException();
        string[] parts;
        try { parts = Utf8.GetString(Base64Url.DecodeFromChars(cursor)).Split('\n'); }
        catch (ArgumentException) { throw new BadCursorException(); } // not UTF-8
        if (parts.Length != 3 || parts[0] != list || parts[1].Contains('\0') || !isId(parts[2])
            || Write(list, parts[1], parts[2]) != cursor)
            throw new BadCursorException();
        return (parts[1], parts[2]);
    }

    /// <summary>A moment as a key: microseconds, as the database keeps them.</summary>
    public static string OfTime(DateTimeOffset at) => at.UtcTicks.ToString(CultureInfo.InvariantCulture);

    public static DateTimeOffset ReadTime(string key) =>
        long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
        && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : throw new BadCursorException();

    public static decimal ReadDecimal(string key) =>
        decimal.TryParse(key, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new BadCursorException();
}
