using OrleansOms.Host.Commands;

namespace OrleansOms.Tests.Import;

public sealed class ImportOptionsTests : IDisposable
{
    readonly string _data = Directory.CreateTempSubdirectory("oms-options-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    (ImportOptions? Options, string? Fault) Parse(string[] args, params (string Name, string Value)[] settings)
    {
        string? Setting(string name) =>
            name == "Oms__Data" ? _data : settings.Where(s => s.Name == name).Select(s => s.Value).FirstOrDefault();
        var options = ImportOptions.Parse(args, Setting, out var fault);
        return (options, fault);
    }

    void Write(string content, params string[] path)
    {
        var file = Path.Combine([_data, .. path]);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    [Fact]
    public void The_key_is_the_option_else_the_setting_else_the_file_of_the_data_folder()
    {
        Write("oms_file\n", "secrets", "api-key");
        string[] args = ["online-retail", TestData.Sample];
        Assert.Equal("oms_arg", Parse([.. args, "--key", "oms_arg"], ("Oms__Bootstrap__ApiKey", "oms_env")).Options!.Key);
        Assert.Equal("oms_env", Parse(args, ("Oms__Bootstrap__ApiKey", "oms_env")).Options!.Key);
        Assert.Equal("oms_file", Parse(args).Options!.Key);
    }

    [Fact]
    public void The_database_is_the_setting_else_that_of_the_private_server()
    {
        string[] args = ["online-retail", TestData.Sample, "--key", "k"];
        Assert.Null(Parse(args).Options!.Database);
        Write("Host=127.0.0.1;Port=5\n", "postgres.connection");
        Assert.Equal("Host=127.0.0.1;Port=5", Parse(args).Options!.Database);
        Assert.Equal("Host=db", Parse(args, ("ConnectionStrings__Oms", "Host=db")).Options!.Database);
    }

    [Fact]
    public void What_is_not_given_has_its_default()
    {
        var options = Parse(["online-retail", TestData.Sample, "--key", "k"]).Options!;
        Assert.Equal(new Uri("http://localhost:8080"), options.Url);
        Assert.Equal((16, null, Path.Combine(_data, "import")), (options.Parallel, options.Postcodes, options.Report));
    }

    [Theory]
    [InlineData("http://127.0.0.1:9001", "http://127.0.0.1:9001")]
    [InlineData("http://127.0.0.1:9001/;http://127.0.0.1:9002", "http://127.0.0.1:9001")]
    [InlineData("http://0.0.0.0:80", "http://localhost")]
    [InlineData("http://[::]:9001", "http://localhost:9001")]
    [InlineData("http://+:9001", "http://localhost:9001")]
    [InlineData("http://*:9001", "http://localhost:9001")]
    [InlineData(" ", "http://localhost:8080")]
    public void The_server_is_the_option_else_where_the_program_listens(string listens, string url)
    {
        string[] args = ["online-retail", TestData.Sample, "--key", "k"];
        Assert.Equal(new Uri(url), Parse(args, ("ASPNETCORE_URLS", listens)).Options!.Url);
        Assert.Equal(
            new Uri("https://shop.example"),
            Parse([.. args, "--url", "https://shop.example"], ("ASPNETCORE_URLS", listens)).Options!.Url);
    }

    [Fact]
    public void Where_the_program_listens_is_told_if_it_is_no_address() => Assert.Equal(
        "ASPNETCORE_URLS must be an http or https address.",
        Parse(["online-retail", TestData.Sample, "--key", "k"], ("ASPNETCORE_URLS", "localhost")).Fault);

    [Theory]
    [InlineData("oms"), InlineData("README.md")]
    public void The_options_that_matter_are_named_to_people(string file)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, file));
        Assert.Contains("import online-retail FILE [--postcodes DIR] [--url URL]", text);
    }

    [Theory]
    [InlineData("", "Say what to import: online-retail FILE.")]
    [InlineData("online-retail", "Say what to import: online-retail FILE.")]
    [InlineData("shopify SAMPLE", "Say what to import: online-retail FILE.")]
    [InlineData("online-retail SAMPLE --key k --fast 1", "There is no option --fast.")]
    [InlineData("online-retail SAMPLE --key", "--key needs a value.")]
    [InlineData("online-retail SAMPLE --key k --parallel 0", "--parallel must be a number from 1 to 256.")]
    [InlineData("online-retail SAMPLE --key k --parallel 257", "--parallel must be a number from 1 to 256.")]
    [InlineData("online-retail SAMPLE --key k --url localhost", "--url must be an http or https address.")]
    [InlineData("online-retail SAMPLE --key k --url ftp://localhost", "--url must be an http or https address.")]
    [InlineData("online-retail nothing.csv --key k", "There is no file nothing.csv.")]
    [InlineData("online-retail SAMPLE --key k --postcodes nowhere", "There is no folder nowhere.")]
    [InlineData("online-retail SAMPLE --key k\u00e9y", "The API key holds characters that no key has.")]
    public void What_makes_no_sense_is_told(string line, string fault)
    {
        var args = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(a => a == "SAMPLE" ? TestData.Sample : a).ToArray();
        Assert.Equal((null, fault), Parse(args));
    }

    [Fact]
    public void Without_a_key_the_three_ways_to_give_one_are_named()
    {
        var fault = Parse(["online-retail", TestData.Sample]).Fault!;
        Assert.All(["--key", "Oms__Bootstrap__ApiKey", _data], way => Assert.Contains(way, fault));
    }
}
