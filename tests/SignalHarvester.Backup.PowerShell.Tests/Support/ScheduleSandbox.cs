using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

[assembly: AssemblyFixture(typeof(ScheduleSandbox))]

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>
/// The place where this process registers schedules: its own folders instead of the account's, a stand-in for crontab, no systemd,
/// and a pwsh that does nothing. All tests of the process share it, so each has its own names.
/// </summary>
public sealed class ScheduleSandbox : IDisposable
{
    private static readonly string[] Variables = ["PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME"];

    private readonly Dictionary<string, string?> before = Variables.ToDictionary(name => name, Environment.GetEnvironmentVariable);
    private readonly TempFolder folder = new(plain: true);

    /// <summary>Sets it up.</summary>
    public ScheduleSandbox()
    {
        var programs = folder.Folder("bin");
        FakeSchedulers.Install(programs, "crontab", FakeSchedulers.Crontab);
        FakeSchedulers.Install(programs, "systemctl", FakeSchedulers.Silent);
        FakeSchedulers.Install(programs, "pwsh", "exit 0");
        Environment.SetEnvironmentVariable("PATH", programs + Path.PathSeparator + before["PATH"]);
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", folder.Folder("config"));
        Environment.SetEnvironmentVariable("XDG_STATE_HOME", folder.Folder("state"));
    }

    /// <summary>The present crontab.</summary>
    public string Crontab => File.Exists(folder["bin", "crontab.txt"]) ? File.ReadAllText(folder["bin", "crontab.txt"]) : string.Empty;

    /// <summary>Changes the crontab behind the module's back.</summary>
    public void EditCrontab(Func<string, string> edit) => File.WriteAllText(folder["bin", "crontab.txt"], edit(Crontab));

    /// <summary>Restores the environment.</summary>
    public void Dispose()
    {
        foreach (var (name, value) in before)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        folder.Dispose();
    }
}
