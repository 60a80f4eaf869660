using System.Text;
using System.Text.Json.Nodes;

namespace OrleansOms.Tests.Operation;

/// <summary>
/// Reads as much of YAML as our manifests use: maps, lists, the short forms of both on one line, anchors and merges. All
/// values are texts. Anything else is refused, so that nothing is read in another way than Kubernetes and Docker do.
/// </summary>
sealed class Yaml
{
    readonly List<(int Indent, string Text)> _lines = [];
    readonly Dictionary<string, JsonNode?> _anchors = [];
    int _at;

    /// <summary>The documents of a file.</summary>
    public static IReadOnlyList<JsonNode> Documents(string text) =>
        [.. text.ReplaceLineEndings("\n").Split("\n---\n").Select(t => new Yaml(t).Document())];

    Yaml(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var kept = WithoutComment(line).TrimEnd();
            if (kept.Contains('\t')) throw Refused(line);
            if (kept.Length > 0) _lines.Add((kept.Length - kept.TrimStart().Length, kept.TrimStart()));
        }
    }

    JsonNode Document()
    {
        var node = Block(0) ?? throw new FormatException("The document is empty.");
        return _at == _lines.Count ? node : throw Refused(_lines[_at].Text);
    }

    static string WithoutComment(string line)
    {
        var quote = '\0';
        for (var i = 0; i < line.Length; i++)
        {
            if (quote != '\0') quote = line[i] == quote ? '\0' : quote;
            else if (line[i] is '"' or '\'' && (i == 0 || line[i - 1] is ' ' or '[' or '{' or ',')) quote = line[i];
            else if (line[i] == '#' && (i == 0 || line[i - 1] == ' ')) return line[..i];
        }
        return line;
    }

    static bool IsItem(string text) => text == "-" || text.StartsWith("- ", StringComparison.Ordinal);

    JsonNode? Block(int least)
    {
        if (_at == _lines.Count || _lines[_at].Indent < least) return null;
        return IsItem(_lines[_at].Text) ? List(_lines[_at].Indent) : Map(_lines[_at].Indent);
    }

    JsonArray List(int indent)
    {
        var list = new JsonArray();
        while (_at < _lines.Count && _lines[_at].Indent == indent && IsItem(_lines[_at].Text))
        {
            var rest = _lines[_at].Text[1..].TrimStart();
            if (rest.Length > 0 && rest[0] is not ('{' or '[' or '"' or '\'' or '*') && KeyEnd(rest) >= 0)
            {
                var inner = indent + _lines[_at].Text.Length - rest.Length;
                _lines[_at] = (inner, rest);
                list.Add(Map(inner));
            }
            else
            {
                _at++;
                list.Add(Value(rest, indent + 1));
            }
        }
        return list;
    }

    JsonObject Map(int indent)
    {
        var map = new JsonObject();
        var merged = new List<JsonObject>();
        while (_at < _lines.Count && _lines[_at].Indent == indent && !IsItem(_lines[_at].Text))
        {
            var text = _lines[_at++].Text;
            var end = KeyEnd(text);
            if (end < 0) throw Refused(text);
            // A list below a key may stand as far to the left as the key.
            var least = _at < _lines.Count && IsItem(_lines[_at].Text) ? indent : indent + 1;
            Put(map, merged, text[..end], Value(text[(end + 1)..].TrimStart(), least));
        }
        if (_at < _lines.Count && _lines[_at].Indent > indent) throw Refused(_lines[_at].Text);
        return Merge(map, merged);
    }

    static int KeyEnd(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (text[i] == ':' && (i + 1 == text.Length || text[i + 1] == ' ')) return i;
        return -1;
    }

    static void Put(JsonObject map, List<JsonObject> merged, string key, JsonNode? value)
    {
        if (key == "<<") merged.Add(value as JsonObject ?? throw Refused(key));
        else if (!map.TryAdd(key, value)) throw new FormatException($"{key} is there twice.");
    }

    static JsonObject Merge(JsonObject map, List<JsonObject> merged)
    {
        foreach (var (key, value) in merged.SelectMany(m => m)) map.TryAdd(key, value?.DeepClone());
        return map;
    }

    JsonNode? Value(string text, int least)
    {
        if (text.StartsWith('&'))
        {
            var name = text.Split(' ')[0];
            return _anchors[name[1..]] = Value(text[name.Length..].TrimStart(), least)?.DeepClone();
        }
        if (text.Length == 0) return Block(least);
        if (text[0] is '|' or '>' or '!' or '%' or '@' or '`') throw Refused(text);
        var at = 0;
        var value = Flow(text, ref at, isInside: false);
        return at == text.Length ? value : throw Refused(text);
    }

    JsonNode? Flow(string text, ref int at, bool isInside)
    {
        Skip(text, ref at);
        switch (at < text.Length ? text[at] : '\0')
        {
            case '[':
                var list = new JsonArray();
                for (at++; !Ends(text, ref at, ']');) list.Add(Flow(text, ref at, isInside: true));
                return list;
            case '{':
                var (map, merged) = (new JsonObject(), new List<JsonObject>());
                for (at++; !Ends(text, ref at, '}');)
                {
                    var end = text.IndexOf(": ", at, StringComparison.Ordinal);
                    if (end < 0) throw Refused(text);
                    var key = text[at..end];
                    at = end + 2;
                    Put(map, merged, key, Flow(text, ref at, isInside: true));
                }
                return Merge(map, merged);
            case '"' or '\'':
                return Quoted(text, ref at);
            default:
                var from = at;
                while (at < text.Length && !(isInside && (text[at] is ',' or ']' or '}'))) at++;
                var word = text[from..at].Trim();
                if (word.Length == 0 || KeyEnd(word) >= 0) throw Refused(text);
                if (word[0] != '*') return word;
                return _anchors.TryGetValue(word[1..], out var node) ? node?.DeepClone() : throw Refused(text);
        }
    }

    static string Quoted(string text, ref int at)
    {
        var (quote, value) = (text[at++], new StringBuilder());
        for (; at < text.Length && text[at] != quote; at++)
        {
            if (text[at] == '\\') throw Refused(text);
            value.Append(text[at]);
        }
        if (at++ == text.Length) throw Refused(text);
        return value.ToString();
    }

    static void Skip(string text, ref int at)
    {
        while (at < text.Length && text[at] == ' ') at++;
    }

    /// <summary>Past the end of a list or map in one line, or past the comma before its next part.</summary>
    static bool Ends(string text, ref int at, char end)
    {
        Skip(text, ref at);
        if (at < text.Length && text[at] == ',')
        {
            at++;
            Skip(text, ref at);
        }
        if (at == text.Length) throw Refused(text);
        if (text[at] != end) return false;
        at++;
        return true;
    }

    static FormatException Refused(string text) => new($"This is more of YAML than is read here: {text}");
}
