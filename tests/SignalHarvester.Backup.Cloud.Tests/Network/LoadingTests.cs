using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Network;

/// <summary>
/// The libraries of the providers and of the configuration file load at their first use, so an import and a local backup stay as fast
/// as before.
/// </summary>
public sealed class LoadingTests
{
    private const string Loaded = "[AppDomain]::CurrentDomain.GetAssemblies() | ForEach-Object { $_.GetName().Name }";

    // Newtonsoft.Json is not among them, because PowerShell has its own.
    private static readonly string[] Beginnings =
    [
        "AWSSDK", "Azure", "Google", "Polly", "Microsoft.Identity", "Prometheus", "System.Threading.RateLimiting", "YamlDotNet",
    ];

    [Fact]
    public async Task Local_work_loads_no_library_of_a_provider()
    {
        var loaded = await AfterAsync(
            "New-SHBackup ./app.db | Test-SHBackup | Out-Null; Get-SHBackup | Restore-SHBackup -Destination ./b.db -Force | Out-Null; Get-SHBackup | Remove-SHBackup -Force | Out-Null");
        Assert.Contains("SignalHarvester.Backup", loaded);
        Assert.DoesNotContain(loaded, name => Beginnings.Any(beginning => name.StartsWith(beginning, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task One_provider_loads_none_of_the_others()
    {
        var loaded = await AfterAsync(
            "try { Get-SHBackup -Remote -Provider S3 -Bucket b -Endpoint http://127.0.0.1:1 -PathStyle -ErrorAction Stop } catch { $null = $_ }");
        Assert.Contains("AWSSDK.S3", loaded);
        Assert.DoesNotContain(loaded, name => name.StartsWith("Azure", StringComparison.Ordinal) || name.StartsWith("Google", StringComparison.Ordinal));
    }

    private static async Task<string[]> AfterAsync(string command)
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        var environment = new Dictionary<string, string> { ["AWS_ACCESS_KEY_ID"] = "a", ["AWS_SECRET_ACCESS_KEY"] = "b" };
        using var process = new CloudProcess(folder.Path, environment, $"{command}; {Loaded}");
        return (await process.SucceedAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.TrimEntries);
    }
}
