using System.Globalization;

namespace OrleansOms.Domain.Shared;

/// <summary>What texts from outside may look like.</summary>
public static class Text
{
    /// <summary>Longest SKU, in characters.</summary>
    public const int MaxSku = 64;
    /// <summary>Longest warehouse code, in characters.</summary>
    public const int MaxWarehouseCode = 16;

    /// <summary>Any printable text up to 64 characters, no blanks at its ends. Case matters.</summary>
    public static bool IsSku(string? text) => IsPrintable(text, MaxSku) && text!.Trim().Length == text.Length;

    /// <summary>Capitals, digits and dashes, up to 16 characters, starting with a letter or digit.</summary>
    public static bool IsWarehouseCode(string? text) =>
        text is { Length: > 0 and <= MaxWarehouseCode } && text[0] != '-'
        && text.All(c => c is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '-');

    /// <summary>Not empty, no control, format-breaking or unpaired surrogate characters, at most <paramref name="max"/>.</summary>
    public static bool IsPrintable(string? text, int max)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > max) return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i)) { i++; continue; }
            var category = char.GetUnicodeCategory(text[i]);
            if (category is UnicodeCategory.Control or UnicodeCategory.Surrogate
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) return false;
        }
        return true;
    }
}
