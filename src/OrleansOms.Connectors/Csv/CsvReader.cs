using System.Text;

namespace OrleansOms.Connectors.Csv;

/// <summary>One record of a CSV file.</summary>
/// <param name="Line">The line of the file that it starts on, from 1.</param>
/// <param name="Raw">Its text as it stands, without the line break; cut when it is too long.</param>
/// <param name="IsBroken">Its quotes do not close, or it is too long: its fields mean nothing.</param>
public readonly record struct CsvRecord(int Line, string Raw, bool IsBroken);

/// <summary>
/// Reads CSV as RFC 4180 has it, leniently and in bounded memory, whatever the text. A quoted field may hold line
/// breaks, but no more than <see cref="MaxJoinedLines"/> lines: where a quote never closes, only its own line is
/// broken and the lines after it are read as if nothing had happened.
/// </summary>
public sealed class CsvReader(TextReader reader, char separator = ',')
{
    /// <summary>Characters of one record; what is longer is broken.</summary>
    public const int MaxRecordLength = 64 * 1024;
    /// <summary>Lines that one record may span.</summary>
    public const int MaxJoinedLines = 16;

    readonly Queue<(string Text, bool IsCut)> _ahead = new();
    readonly List<string> _fields = [];
    readonly StringBuilder _field = new();
    readonly char[] _buffer = new char[16 * 1024];
    int _at, _end, _line;
    bool _afterCarriageReturn;

    /// <summary>The fields of the record that was read last. The list is used again for the next one.</summary>
    public IReadOnlyList<string> Fields => _fields;

    /// <summary>Reads the next record; empty lines are passed over. False at the end.</summary>
    public bool Read(out CsvRecord record)
    {
        while (NextLine() is { } first)
        {
            var line = ++_line;
            if (first.Text.Length == 0) continue;
            if (first.IsCut) { _fields.Clear(); record = new CsvRecord(line, first.Text, true); return true; }
            var raw = first.Text;
            var whole = Split(raw) || TryJoin(ref raw);
            if (!whole) _fields.Clear();
            record = new CsvRecord(line, raw, !whole);
            return true;
        }
        record = default;
        return false;
    }

    /// <summary>Joins the lines of a quoted field; leaves them to be read one by one if it does not close.</summary>
    bool TryJoin(ref string raw)
    {
        var joined = new StringBuilder(raw);
        for (var taken = 1; taken < MaxJoinedLines; taken++)
        {
            if (!LookAhead(taken, out var next) || next.IsCut) return false;
            joined.Append('\n').Append(next.Text);
            if (joined.Length > MaxRecordLength) return false;
            // Only a quote can close a quoted field.
            if (!next.Text.Contains('"') || !Split(joined.ToString())) continue;
            raw = joined.ToString();
            for (var i = 0; i < taken; i++) _ahead.Dequeue();
            _line += taken;
            return true;
        }
        return false;
    }

    bool LookAhead(int lines, out (string Text, bool IsCut) line)
    {
        line = default;
        while (_ahead.Count < lines)
        {
            if (ReadLine() is not { } next) return false;
            _ahead.Enqueue(next);
        }
        line = _ahead.ElementAt(lines - 1);
        return true;
    }

    (string Text, bool IsCut)? NextLine() => _ahead.TryDequeue(out var line) ? line : ReadLine();

    /// <summary>One line without its break (CR, LF or both); what is beyond the limit is read and left out.</summary>
    (string Text, bool IsCut)? ReadLine()
    {
        StringBuilder? earlier = null;
        var isCut = false;
        while (true)
        {
            if (_at == _end && !Fill()) return earlier is null ? null : (earlier.ToString(), isCut);
            if (_afterCarriageReturn)
            {
                _afterCarriageReturn = false;
                if (_buffer[_at] == '\n') { _at++; continue; }
            }
            var rest = _buffer.AsSpan(_at, _end - _at);
            var stop = rest.IndexOfAny('\r', '\n');
            var part = stop < 0 ? rest : rest[..stop];
            var room = MaxRecordLength - (earlier?.Length ?? 0);
            if (part.Length > room) { part = part[..room]; isCut = true; }
            _at += stop < 0 ? rest.Length : stop + 1;
            if (stop >= 0)
            {
                _afterCarriageReturn = rest[stop] == '\r';
                return (earlier is null ? part.ToString() : earlier.Append(part).ToString(), isCut);
            }
            (earlier ??= new StringBuilder()).Append(part);
        }
    }

    bool Fill()
    {
        _at = 0;
        _end = reader.Read(_buffer, 0, _buffer.Length);
        return _end > 0;
    }

    /// <summary>Splits into fields. False if a quote does not close.</summary>
    bool Split(string text)
    {
        _fields.Clear();
        var at = 0;
        while (true)
        {
            if (at < text.Length && text[at] == '"')
            {
                if (!TakeQuoted(text, ref at)) return false;
            }
            else
            {
                var stop = text.IndexOf(separator, at);
                if (stop < 0) stop = text.Length;
                _fields.Add(text[at..stop]);
                at = stop;
            }
            if (at >= text.Length) return true;
            at++; // the separator; a field follows it even at the end of the text
        }
    }

    /// <summary>A quote opens only at the start of a field; what follows its end is kept.</summary>
    bool TakeQuoted(string text, ref int at)
    {
        _field.Clear();
        at++;
        while (true)
        {
            var quote = text.IndexOf('"', at);
            if (quote < 0) return false;
            _field.Append(text, at, quote - at);
            at = quote + 1;
            if (at >= text.Length || text[at] != '"') break;
            _field.Append('"');
            at++;
        }
        var stop = text.IndexOf(separator, at);
        if (stop < 0) stop = text.Length;
        _fields.Add(_field.Append(text, at, stop - at).ToString());
        at = stop;
        return true;
    }

    /// <summary>Writes fields as one line that reads back as the same fields.</summary>
    public static string Line(IEnumerable<string> fields) => string.Join(',', fields.Select(f =>
        f.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{f.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : f));
}
