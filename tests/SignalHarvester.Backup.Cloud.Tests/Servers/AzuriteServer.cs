using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Azure;
using SignalHarvester.Backup.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(AzuriteServer))]

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>
/// Azurite, Microsoft's own Azure Blob Storage for tests: one process for all tests of a run, on a free port, with its own account and
/// folder. It starts when it is first needed.
/// </summary>
public sealed partial class AzuriteServer : IAsyncDisposable
{
    // We hold the other end of its standard input: when this process dies, however it does, Azurite ends too.
    private const string RunUntilInputEnds =
        "process.stdin.on('end', () => process.exit()).resume(); process.argv.splice(1, 0, 'azurite-blob'); require(process.env.AZURITE_MAIN);";

    private readonly Lazy<Task<Uri>> started;
    private readonly TempFolder folder = new(plain: true);
    private Process? process;

    public AzuriteServer() => started = new Lazy<Task<Uri>>(StartAsync);

    /// <summary>The account's name.</summary>
    public string AccountName { get; } = "shbackup" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>The account's key.</summary>
    public string Key { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));

    /// <summary>Returns the account's address; skips the running test, visibly, if Azurite is not installed.</summary>
    public Task<Uri> AddressAsync()
    {
        Assert.SkipUnless(File.Exists(Main), "Azurite is not installed (tests/run.sh installs it by npm where it may)");
        Assert.SkipWhen(Tool.SkipReason("node") is not null, Tool.SkipReason("node") ?? string.Empty);
        return started.Value;
    }

    /// <summary>Returns a location in a new container, which does not exist yet.</summary>
    public async Task<StoreLocation> NewLocationAsync() => new()
    {
        Provider = CloudProvider.Azure,
        Container = "c" + Guid.NewGuid().ToString("N"),
        Endpoint = await AddressAsync(),
        AccountName = AccountName,
        Prefix = "pre fix+%41ü/",
    };

    /// <summary>Opens a store with the account's key.</summary>
    internal AzureStore Open(StoreLocation location, StoreOptions? options = null) =>
        new(location, options ?? new StoreOptions(), Environment(("AZURE_STORAGE_KEY", Key)));

    /// <summary>Opens a store in an existing, empty container.</summary>
    internal async Task<AzureStore> OpenNewAsync(StoreOptions? options = null)
    {
        var store = Open(await NewLocationAsync(), options);
        await store.RequireContainerAsync(create: true, TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Makes an environment with only these variables.</summary>
    internal static Func<string, string?> Environment(params (string Name, string Value)[] variables) =>
        variables.ToDictionary(variable => variable.Name, variable => variable.Value).GetValueOrDefault;

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        folder.Dispose();
    }

    private static string Main { get; } = Path.Combine(TestAssets.Folder, "azurite-3.37.0", "node_modules", "azurite", "dist", "src", "blob", "main.js");

    private async Task<Uri> StartAsync()
    {
        var start = new ProcessStartInfo(
            Tool.Find("node")!,
            ["-e", RunUntilInputEnds, "--", "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", folder.Path, "--silent", "--disableTelemetry"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            Environment = { ["AZURITE_MAIN"] = Main, ["AZURITE_ACCOUNTS"] = $"{AccountName}:{Key}" },
        };
        process = Process.Start(start) ?? throw new InvalidOperationException("Azurite did not start.");
        var port = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new StringBuilder();
        process.OutputDataReceived += (_, line) =>
        {
            said.AppendLine(line.Data);
            if (line.Data is null)
            {
                port.TrySetException(new InvalidOperationException($"Azurite ended:\n{said}"));
            }
            else if (Listening.Match(line.Data) is { Success: true } match)
            {
                port.TrySetResult(match.Groups[1].Value);
            }
        };
        process.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new Uri($"http://127.0.0.1:{await port.Task.WaitAsync(TimeSpan.FromMinutes(2))}/{AccountName}");
    }

    [GeneratedRegex(@"listens on http://127\.0\.0\.1:(\d+)")]
    private static partial Regex Listening { get; }
}
