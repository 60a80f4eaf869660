using System.Text;
using CsCheck;
using OrleansOms.Connectors.Csv;

namespace OrleansOms.Tests.Import;

public sealed class CsvReaderTests
{
    static List<(int Line, bool IsBroken, string[] Fields)> Read(string text, char separator = ',')
    {
        var csv = new CsvReader(new StringReader(text), separator);
        var records = new List<(int, bool, string[])>();
        while (csv.Read(out var record)) records.Add((record.Line, record.IsBroken, [.. csv.Fields]));
        return records;
    }

    static string[] One(string text) => Assert.Single(Read(text)).Fields;

    [Theory]
    [InlineData("a,b,c", "a|b|c")]
    [InlineData("a,,", "a||")]
    [InlineData(",", "|")]
    [InlineData("\"a,b\",c", "a,b|c")]
    [InlineData("\"say \"\"hi\"\"\",c", "say \"hi\"|c")]
    [InlineData("\"\",\"\"", "|")]
    [InlineData("12\" RULER,c", "12\" RULER|c")]
    [InlineData("\"a\"b,c", "ab|c")]
    [InlineData("\"two\nlines\",c", "two\nlines|c")]
    [InlineData("\"two\r\nlines\",c", "two\nlines|c")]
    [InlineData("\"\n\n\",c", "\n\n|c")]
    public void Fields_are_split_as_RFC_4180_has_it(string text, string fields) =>
        Assert.Equal(fields.Split('|'), One(text));

    [Theory]
    [InlineData("a,1\nb,2\n")]
    [InlineData("a,1\r\nb,2\r\n")]
    [InlineData("a,1\rb,2")]
    [InlineData("\n\na,1\r\n\r\nb,2\n\n")]
    public void Every_kind_of_line_break_ends_a_record_and_empty_lines_are_none(string text) =>
        Assert.Equal([["a", "1"], ["b", "2"]], Read(text).Select(r => r.Fields));

    [Fact]
    public void Records_know_the_line_that_they_start_on()
    {
        var records = Read("a\n\n\"x\ny\nz\"\nb");
        Assert.Equal([1, 3, 6], records.Select(r => r.Line));
    }

    [Fact]
    public void A_quote_that_never_closes_breaks_its_own_line_only()
    {
        var records = Read("a,1\nb,\"open\nc,3\nd,4");
        Assert.Equal([(1, false), (2, true), (3, false), (4, false)], records.Select(r => (r.Line, r.IsBroken)));
        Assert.Equal(["c", "3"], records[2].Fields);
    }

    [Fact]
    public void A_quoted_field_of_too_many_lines_is_broken()
    {
        var text = $"\"{string.Join('\n', Enumerable.Repeat("x", CsvReader.MaxJoinedLines + 1))}\"\nb";
        var records = Read(text);
        Assert.True(records[0].IsBroken);
        Assert.Equal(["b"], records[^1].Fields);
    }

    [Fact]
    public void A_line_that_is_too_long_is_broken_and_does_not_grow()
    {
        var text = $"a\n{new string('x', 5 * CsvReader.MaxRecordLength)}\nb\n\"{new string('y', CsvReader.MaxRecordLength - 5)}\nzzzzzzzz\"\nc";
        var csv = new CsvReader(new StringReader(text));
        var records = new List<CsvRecord>();
        while (csv.Read(out var record)) records.Add(record);
        Assert.All(records, r => Assert.True(r.Raw.Length <= CsvReader.MaxRecordLength));
        Assert.Equal([false, true, false, true], records.Take(4).Select(r => r.IsBroken));
        Assert.Equal("c", records[^1].Raw);
    }

    [Fact]
    public void What_is_written_reads_back() =>
        Gen.String[Gen.Char["ab,\"\n \u20ac"], 0, 8].Array[1, 6].Sample(fields =>
        {
            // A record of one empty field is an empty line, and more line breaks than are joined are no record.
            if (fields is [""] || fields.Sum(f => f.Count(c => c == '\n')) >= CsvReader.MaxJoinedLines) return;
            Assert.Equal(fields, One(CsvReader.Line(fields)));
        });

    [Fact]
    public void No_text_makes_it_throw_or_lose_a_line() =>
        Gen.String[Gen.Char["ab1,\"\r\n\t\0\ud800"], 0, 200].Sample(text =>
        {
            var records = Read(text);
            var lines = new List<string>();
            var reader = new StringReader(text);
            while (reader.ReadLine() is { } line) lines.Add(line);
            var csv = new CsvReader(new StringReader(text));
            var raw = new StringBuilder();
            while (csv.Read(out var record)) raw.Append(record.Raw).Append('\n');
            Assert.Equal(
                string.Concat(lines).Replace("\n", "", StringComparison.Ordinal),
                raw.ToString().Replace("\n", "", StringComparison.Ordinal));
            Assert.True(records.Count <= lines.Count);
        });
}
