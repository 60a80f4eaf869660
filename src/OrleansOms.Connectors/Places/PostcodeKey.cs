namespace OrleansOms.Connectors.Places;

/// <summary>
/// A postcode as one number: its first 12 letters and digits as digits to the base 37, from the left, so that numbers
/// sort as the codes do and everything that begins with a code lies in one range. Case, spaces and marks are ignored.
/// </summary>
readonly record struct PostcodeKey(ulong Packed, int Length)
{
    const int MaxLength = 12;
    const int Radix = 37; // nothing, 0-9, A-Z

    static readonly ulong[] Weights = MakeWeights();

    public static PostcodeKey Parse(string text)
    {
        var key = default(PostcodeKey);
        foreach (var c in text)
        {
            var digit = c switch
            {
                >= '0' and <= '9' => c - '0' + 1,
                >= 'A' and <= 'Z' => c - 'A' + 11,
                >= 'a' and <= 'z' => c - 'a' + 11,
                _ => 0,
            };
            if (digit == 0) continue;
            key = new PostcodeKey(key.Packed + (ulong)digit * Weights[key.Length], key.Length + 1);
            if (key.Length == MaxLength) break;
        }
        return key;
    }

    /// <summary>Its first characters.</summary>
    public PostcodeKey Part(int length) =>
        length <= 0 ? default : new PostcodeKey(Packed - Packed % Weights[length - 1], length);

    /// <summary>The largest number of a code that begins with this one.</summary>
    public ulong LastUnder => Length == 0 ? ulong.MaxValue : Packed + (Weights[Length - 1] - 1);

    /// <summary>Two to four characters outward, then a digit and two letters.</summary>
    public bool IsFullBritish =>
        Length is >= 5 and <= 7 && IsDigit(Length - 3) && !IsDigit(Length - 2) && !IsDigit(Length - 1);

    bool IsDigit(int at) => Packed / Weights[at] % Radix is >= 1 and <= 10;

    static ulong[] MakeWeights()
    {
        var weights = new ulong[MaxLength];
        weights[^1] = 1;
        for (var i = MaxLength - 2; i >= 0; i--) weights[i] = weights[i + 1] * Radix;
        return weights;
    }
}
