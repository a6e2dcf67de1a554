using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>
/// Empties the variables of Google's credentials during a test, so that this machine's own play no part. Tests that use it belong to
/// the collection of this name, because the variables belong to the process.
/// </summary>
internal sealed class GoogleEnvironment : IDisposable
{
    public const string Collection = "Google environment";

    private static readonly string[] Names =
        ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST", "CLOUDSDK_CONFIG", "GCE_METADATA_HOST"];

    private readonly Dictionary<string, string?> before = Names.ToDictionary(name => name, Environment.GetEnvironmentVariable);

    public GoogleEnvironment()
    {
        foreach (var name in Names)
        {
            Environment.SetEnvironmentVariable(name, null);
        }

        Environment.SetEnvironmentVariable("CLOUDSDK_CONFIG", Folder.Path);
        Environment.SetEnvironmentVariable("GCE_METADATA_HOST", "127.0.0.1:1");
    }

    public TempFolder Folder { get; } = new();

    /// <summary>Gives the fake's service account, as a person would.</summary>
    public void UseAccountOf(FakeGcs fake)
    {
        var path = Folder["key.json"];
        fake.Tokens.WriteKeyFile(path, fake.Address);
        fake.WantsTokens = true;
        Set("GOOGLE_APPLICATION_CREDENTIALS", path);
    }

    public void Set(string name, string? value) => Environment.SetEnvironmentVariable(
        before.ContainsKey(name) ? name : throw new ArgumentException($"{name} would stay after the test.", nameof(name)), value);

    public void Dispose()
    {
        foreach (var (name, value) in before)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        Folder.Dispose();
    }
}
