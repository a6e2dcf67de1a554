using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// A system whose OpenSSL has no ChaCha20-Poly1305, or refuses to use it, as in FIPS mode. There encrypted backups are neither made
/// nor opened, and backups that should be encrypted are never stored plain.
/// </summary>
public class NoCipherTests
{
    // .NET loads libssl.so.<DOTNET_OPENSSL_VERSION_OVERRIDE>, and looks its functions up there: one is ours, the rest the system's.
    [Theory]
    [InlineData("const void *EVP_chacha20_poly1305(void) { return 0; }")]
    [InlineData("extern const void *EVP_seed_cbc(void); const void *EVP_chacha20_poly1305(void) { return EVP_seed_cbc(); }")]
    public async Task Without_the_cipher_there_is_no_backup_and_none_is_opened(string source)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), ".NET takes its ciphers from OpenSSL on Linux");
        using var workspace = new Workspace();
        var recipient = workspace.Run("New-SHBackupKey ./key.txt").WithoutErrors().As<BackupKey>().Single().Recipient;
        var made = workspace.MakeBackup($"-Recipient {recipient}");
        File.WriteAllText(workspace["target.db"], "as it was");
        using var libraries = new TempFolder(plain: true);
        File.WriteAllText(libraries["cipher.c"], source);
        Tool.Require("cc")
            .Run("-shared", "-fPIC", "-Wl,--no-as-needed", "-o", libraries["libssl.so.nocipher"], libraries["cipher.c"], "-l:libssl.so.3", "-l:libcrypto.so.3")
            .EnsureSuccess();
        workspace.Configure($"app: {{backup: {{backup_dir: fresh, encryption: {{recipients: [{recipient}], identity_file: key.txt}}}}}}");

        var said = await HostRun.SucceedAsync(
            workspace.Folder,
            $$"""
            $commands = { New-SHBackup ./app.db }, { New-SHBackup ./app.db -Recipient {{recipient}} }, { Protect-SHBackup {{made.Id}} -BackupDirectory ./backups },
              { Test-SHBackup {{made.Id}} -BackupDirectory ./backups }, { Restore-SHBackup {{made.Id}} ./target.db -Force -NoSafetyBackup -BackupDirectory ./backups }
            foreach ($command in $commands) { $Error.Clear(); & $command 2>$null | Out-Null; "$($Error[0].FullyQualifiedErrorId.Split(',')[0])" }
            exit 0
            """,
            ("DOTNET_OPENSSL_VERSION_OVERRIDE", "nocipher"),
            ("LD_LIBRARY_PATH", libraries.Path));

        Assert.Equal(Enumerable.Repeat(BackupErrorId.EncryptionUnavailable, 5), said);
        Assert.Equal("as it was", File.ReadAllText(workspace["target.db"]));
        Assert.Empty(Directory.Exists(workspace["fresh"]) ? Directory.EnumerateFiles(workspace["fresh"]) : []);
        Assert.True(workspace.Run($"Get-SHBackup {made.Id} -BackupDirectory ./backups").WithoutErrors().As<BackupMetadata>().Single().Verified);
    }
}
