using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Encrypted backups, as a user makes, tests, restores, re-wraps and removes them.</summary>
public class EncryptionTests
{
    private const string Words = "(ConvertTo-Secret 'correct horse')";

    [Fact]
    public void The_machine_that_makes_backups_needs_no_secret_and_age_alone_brings_them_back()
    {
        using var scene = new EncryptedScene();
        var run = scene.Workspace.Run($"New-SHBackup ./app.db -Recipient {scene.Recipient} -Verbose").WithoutErrors();
        var made = run.As<BackupMetadata>().Single();

        Assert.Equal((true, VerificationLevel.Quick), (made.Verified, made.VerificationLevel));
        Assert.Equal((true, scene.Recipient), (made.IsEncrypted, Assert.Single(made.Recipients)));
        Assert.EndsWith("_full.db.zst.age", made.BackupPath, StringComparison.Ordinal);
        Assert.Contains(run.Verbose, text => text.Contains("A full test needs the secret key", StringComparison.Ordinal));

        Tool.Require("age").Run("-d", "-i", scene.Key, "-o", scene.Workspace["out.zst"], made.BackupPath).EnsureSuccess();
        Tool.Require("zstd").Run("-d", "-q", scene.Workspace["out.zst"], "-o", scene.Workspace["out.db"]).EnsureSuccess();
        Assert.Equal(made.Checksum, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(scene.Workspace["out.db"]))));
    }

    [Fact]
    public void With_the_key_everything_is_as_with_plain_backups()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(3);
        Assert.Equal([BackupType.Full, BackupType.Incremental, BackupType.Incremental], chain.Select(backup => backup.Type));

        foreach (var backup in chain)
        {
            var tested = scene.Workspace.Run($"Test-SHBackup {backup.Id} -IdentityFile ./key.txt").WithoutErrors().As<BackupMetadata>().Single();
            Assert.Equal((true, VerificationLevel.Full), (tested.Verified, tested.VerificationLevel));
            scene.Workspace.Run($"Restore-SHBackup {backup.Id} ./out-{backup.Depth}.db -IdentityFile ./key.txt -Force").WithoutErrors();
            Assert.Equal(backup.Checksum, ImageHash.Of(scene.Workspace[$"out-{backup.Depth}.db"]));
        }
    }

    [Fact]
    public void Without_a_key_or_with_a_wrong_one_the_error_says_what_to_do_and_nothing_is_recorded()
    {
        using var scene = new EncryptedScene();
        var made = scene.MakeChain(1).Single();
        scene.Workspace.Run("$null = New-SHBackupKey ./other.txt").WithoutErrors();
        foreach (var (parameters, id) in new[]
        {
            ("", BackupErrorId.IdentityMissing), ("-IdentityFile ./other.txt", BackupErrorId.IdentityWrong),
            ($"-Passphrase {Words}", BackupErrorId.IdentityWrong),
        })
        {
            var error = Assert.Single(scene.Run($"Test-SHBackup {made.Id} {parameters}").Errors);
            Assert.Equal((id, made.Id), (error.FullyQualifiedErrorId.Split(',')[0], error.TargetObject));
            Assert.Contains("-IdentityFile", error.Exception.Message, StringComparison.Ordinal);
            File.WriteAllText(scene.Workspace["target.db"], "as it was");
            Assert.Single(scene.Run($"Restore-SHBackup {made.Id} ./target.db -Force -NoSafetyBackup {parameters}").Errors);
            Assert.Equal("as it was", File.ReadAllText(scene.Workspace["target.db"]));
        }

        var after = scene.Workspace.Run($"Get-SHBackup {made.Id}").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((true, VerificationLevel.Quick), (after.Verified, after.VerificationLevel));
    }

    [Fact]
    public async Task A_key_comes_out_of_a_pipe_as_well_and_an_endless_one_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes among its files");
        using var scene = new EncryptedScene();
        var made = scene.MakeChain(1).Single();
        Tool.Require("mkfifo").Run(scene.Workspace["pipe"]).EnsureSuccess();
        var writing = Task.Run(() => File.WriteAllText(scene.Workspace["pipe"], File.ReadAllText(scene.Key)), TestContext.Current.CancellationToken);
        Assert.True(scene.Workspace.Run($"Test-SHBackup {made.Id} -IdentityFile ./pipe").WithoutErrors().As<BackupMetadata>().Single().Verified);
        await writing;

        foreach (var (path, reason) in new[] { ("/dev/zero", "too large for a file of keys"), ("./backups", "it is a directory") })
        {
            var error = Assert.Single(scene.Run($"Test-SHBackup {made.Id} -IdentityFile {path}").Errors);
            Assert.Equal(BackupErrorId.IdentityInvalid, error.FullyQualifiedErrorId.Split(',')[0]);
            Assert.Contains(reason, error.Exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_secret_key_in_the_place_of_its_file_is_not_shown()
    {
        using var scene = new EncryptedScene();
        var secret = File.ReadLines(scene.Key).Single(line => line.StartsWith("AGE-SECRET-KEY-", StringComparison.Ordinal));
        var error = Assert.Single(scene.Run($"Test-SHBackup {scene.MakeFull()} -IdentityFile {secret}").Errors);
        Assert.Equal((BackupErrorId.IdentityInvalid, "IdentityFile"), (error.FullyQualifiedErrorId.Split(',')[0], error.TargetObject));
        Assert.DoesNotContain(secret, error.Exception.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void What_a_killed_run_left_in_the_systems_temporary_folder_goes_with_the_next_backup()
    {
        using var scene = new EncryptedScene();
        var left = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "shbackup-" + Guid.NewGuid().ToString("N"))).FullName;
        if (!OperatingSystem.IsWindows())
        {
            // With the mode of our folders: a folder that others may read is not ours.
            File.SetUnixFileMode(left, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        File.WriteAllText(Path.Combine(left, "restored.db"), "plain");
        File.WriteAllText(Path.Combine(left, ".lock"), "");
        scene.MakeFull();
        Assert.False(Directory.Exists(left));
    }

    [Fact]
    public void A_passphrase_makes_tests_and_restores()
    {
        using var scene = new EncryptedScene();
        var made = scene.Run($"New-SHBackup ./app.db -Passphrase {Words}").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((true, VerificationLevel.Full), (made.Verified, made.VerificationLevel));
        Assert.Empty(made.Recipients);
        scene.Run($"Restore-SHBackup {made.Id} ./out.db -Force -Passphrase {Words}").WithoutErrors();
        Assert.Equal(made.Checksum, ImageHash.Of(scene.Workspace["out.db"]));
    }

    [Fact]
    public void The_sidecar_and_the_directory_tell_nothing_of_what_the_database_holds()
    {
        using var scene = new EncryptedScene();
        using (var connection = Databases.Open(scene.Workspace.Database))
        {
            Databases.Execute(connection, "CREATE TABLE secret_patients(name TEXT); INSERT INTO secret_patients VALUES ('Ada Lovelace of London')");
        }

        scene.MakeChain(2);
        scene.Workspace.Run("Get-SHBackup | Test-SHBackup -IdentityFile ./key.txt").WithoutErrors();
        foreach (var file in scene.Workspace.BackupFiles)
        {
            var content = Encoding.Latin1.GetString(File.ReadAllBytes(file));
            Assert.DoesNotContain("secret_patients", content, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Lovelace", content, StringComparison.Ordinal);
            Assert.DoesNotContain("rows in", content, StringComparison.Ordinal);
            Assert.DoesNotContain("SQLite format 3", file.Contains("history.db", StringComparison.Ordinal) ? "" : content, StringComparison.Ordinal);
        }

        Assert.Null(scene.Workspace.Run("Get-SHBackup -Newest 1").As<BackupMetadata>().Single().RowCounts);
        var told = scene.Workspace.Run($"New-SHBackup ./app.db -Recipient {scene.Recipient} -RevealContent").As<BackupMetadata>().Single();
        Assert.Equal(1, scene.Workspace.Run($"Get-SHBackup {told.Id}").As<BackupMetadata>().Single().RowCounts!["secret_patients"]);
    }

    [Fact]
    public void Page_digests_are_keyed_so_that_no_page_can_be_guessed_and_are_of_use_to_this_machine_alone()
    {
        using var scene = new EncryptedScene();
        var plain = scene.Workspace.MakeBackup();
        byte[] DigestsOf(BackupMetadata backup) =>
            File.ReadAllBytes(Directory.EnumerateFiles(scene.Workspace.Backups, $"*{backup.Id}.pages", SearchOption.AllDirectories).Single())[96..];
        var open = DigestsOf(plain);
        var encrypted = scene.Workspace.MakeBackup($"-Recipient {scene.Recipient}");
        var keyed = DigestsOf(encrypted);

        Assert.Equal(open.Length, keyed.Length);
        Assert.Empty(open.Chunk(16).Select(Convert.ToHexString).Intersect(keyed.Chunk(16).Select(Convert.ToHexString)));

        // The cached digests still find the changes; without them, and without a secret key, a full backup is made.
        scene.Workspace.Change();
        Assert.Equal(BackupType.Incremental, scene.Workspace.MakeBackup($"-Recipient {scene.Recipient} -Type Incremental -Parent {scene.MakeFull()}").Type);
        Directory.Delete(scene.Workspace["backups", ".shbackup", "digests"], recursive: true);
        var run = scene.Workspace.Run($"New-SHBackup ./app.db -Type Incremental -Recipient {scene.Recipient} 3>$null");
        var full = run.As<BackupMetadata>().Single();
        Assert.Equal(BackupType.Full, full.Type);
        Assert.Contains("secret key", (string)full.Metadata["full_reason"]!, StringComparison.Ordinal);
        Directory.Delete(scene.Workspace["backups", ".shbackup", "digests"], recursive: true);
        Assert.Equal(BackupType.Incremental, scene.Workspace.MakeBackup($"-Type Incremental -Recipient {scene.Recipient} -IdentityFile ./key.txt").Type);
    }

    [Fact]
    public void A_damaged_file_never_reaches_the_target()
    {
        using var scene = new EncryptedScene();
        var made = scene.MakeChain(1).Single();
        File.WriteAllText(scene.Workspace["target.db"], "as it was");
        var good = File.ReadAllBytes(made.BackupPath);
        for (var round = 0; round < 25; round++)
        {
            byte[] damaged = [.. good];
            damaged[RandomNumberGenerator.GetInt32(damaged.Length)] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
            File.WriteAllBytes(made.BackupPath, damaged);
            var error = Assert.Single(scene.Run($"Restore-SHBackup {made.Id} ./target.db -Force -NoSafetyBackup -NoVerify -IdentityFile ./key.txt").Errors);
            Assert.Contains(
                error.FullyQualifiedErrorId.Split(',')[0],
                (string[])[BackupErrorId.BackupCorrupt, BackupErrorId.IdentityWrong, BackupErrorId.BackupChecksumMismatch]);
            Assert.Equal("as it was", File.ReadAllText(scene.Workspace["target.db"]));
        }

        Assert.Empty(Directory.EnumerateDirectories(scene.Workspace.Folder, "*tmp*"));
    }

    [Fact]
    public void What_is_not_encrypted_is_not_taken_for_an_encrypted_backup()
    {
        using var scene = new EncryptedScene();
        var made = scene.MakeChain(1).Single();
        var forged = scene.Workspace.MakeBackup();
        File.Copy(forged.BackupPath, made.BackupPath, overwrite: true);
        scene.Workspace.EditSidecar(made.Id, sidecar => (sidecar["size_bytes"], sidecar["stored_checksum"]) = (forged.Size, forged.StoredChecksum));
        var error = Assert.Single(scene.Run($"Restore-SHBackup {made.Id} ./out.db -Force -IdentityFile ./key.txt").Errors);
        Assert.Contains("is not encrypted, but it was", error.Exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(scene.Workspace["out.db"]));
    }

    [Fact]
    public void Without_a_key_what_others_build_on_is_retired_and_goes_with_the_last_of_them()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(4);
        string[] files = [.. chain.Select(backup => backup.BackupPath)];

        var removed = scene.Workspace.Run($"Get-SHBackup | Where-Object Id -in '{chain[0].Id}', '{chain[1].Id}' | Remove-SHBackup -Force -Verbose")
            .WithoutErrors();
        Assert.Equal([chain[1].Id, chain[0].Id], removed.As<BackupMetadata>().Select(backup => backup.Id));
        Assert.All(removed.As<BackupMetadata>(), backup => Assert.True(backup.IsRetired));
        Assert.Contains(removed.Verbose, text => text.Contains("is hidden but kept", StringComparison.Ordinal));
        Assert.Equal([chain[3].Id, chain[2].Id], scene.Workspace.Listed());
        Assert.Equal(
            [(chain[0].Id, true), (chain[1].Id, true), (chain[2].Id, false), (chain[3].Id, false)],
            scene.Workspace.Run("Get-SHBackup -Tree").As<BackupMetadata>().Select(backup => (backup.Id, backup.IsRetired)));
        Assert.Equal([chain[2].Id, chain[3].Id], scene.Workspace.Run("Get-SHBackup -Tree -Newest 4").As<BackupMetadata>().Select(backup => backup.Id));
        Assert.All(files, file => Assert.True(File.Exists(file)));
        scene.Workspace.Run("Get-SHBackup -Tree | Where-Object IsRetired | Remove-SHBackup -Force").WithoutErrors();
        Assert.All(files, file => Assert.True(File.Exists(file)));

        // The remaining backups restore; retention does not count the retired ones.
        scene.Workspace.Run($"Restore-SHBackup {chain[3].Id} ./out.db -Force -IdentityFile ./key.txt").WithoutErrors();
        Assert.Equal(chain[3].Checksum, ImageHash.Of(scene.Workspace["out.db"]));
        Assert.Equal(2, scene.Workspace.Run("Invoke-SHBackupRetention -WhatIf").WithoutErrors().Output.Count);

        scene.Workspace.Run($"Remove-SHBackup {chain[3].Id} -Force").WithoutErrors();
        Assert.Equal([true, true, true, false], files.Select(File.Exists));
        scene.Workspace.Run($"Remove-SHBackup {chain[2].Id} -Force").WithoutErrors();
        Assert.DoesNotContain(files, File.Exists);
        Assert.Empty(Directory.EnumerateFiles(scene.Workspace.Backups));
    }

    [Fact]
    public void What_is_retired_stays_as_long_as_a_sidecar_cannot_be_read()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(2);
        scene.Workspace.Run($"Remove-SHBackup {chain[0].Id} -Force").WithoutErrors();
        var good = File.ReadAllText(scene.Workspace.SidecarOf(chain[1].Id));
        File.WriteAllText(scene.Workspace.SidecarOf(chain[1].Id), "{");
        var other = scene.MakeFull();
        scene.Workspace.Run($"Remove-SHBackup {other} -Force 2>$null");
        File.WriteAllText(scene.Workspace.SidecarOf(chain[1].Id), good);
        scene.Workspace.Run($"Restore-SHBackup {chain[1].Id} ./out.db -Force -IdentityFile ./key.txt").WithoutErrors();
    }

    [Fact]
    public void What_is_retired_is_no_parent_any_more()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(2);
        scene.Workspace.Run($"Remove-SHBackup {chain[0].Id} -Force").WithoutErrors();
        var error = Assert.Single(scene.Run($"New-SHBackup ./app.db -Type Incremental -Parent {chain[0].Id}").Errors);
        Assert.Equal(BackupErrorId.ParentUnusable, error.FullyQualifiedErrorId.Split(',')[0]);
    }

    [Fact]
    public void What_is_retired_here_is_listed_in_an_object_store_and_can_be_removed_and_fetched()
    {
        const string There = "-Provider Directory -Container ./offsite";
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(2);
        scene.Workspace.Run($"Remove-SHBackup {chain[0].Id} -Force; Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        Assert.Equal([chain[1].Id, chain[0].Id], Workspace.Ids(scene.Workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors()));

        scene.Workspace.Run($"Get-SHBackup -Remote {There} | Where-Object Id -eq {chain[0].Id} | Receive-SHBackup -BackupDirectory ./fetched").WithoutErrors();
        Assert.Equal([chain[0].Id], Workspace.Ids(scene.Workspace.Run("Get-SHBackup -BackupDirectory ./fetched").WithoutErrors()));
        scene.Workspace.Run($"Get-SHBackup -Remote {There} | Remove-SHBackup -Remote {There} -Force").WithoutErrors();
        Assert.Empty(Directory.EnumerateFiles(scene.Workspace["offsite"]));
    }

    [Fact]
    public void A_configured_key_that_cannot_be_read_keeps_no_backup_from_being_made()
    {
        using var scene = new EncryptedScene();
        File.WriteAllText(scene.Workspace["broken.txt"], "no key");
        scene.Workspace.Configure($"app: {{backup: {{backup_dir: backups, encryption: {{recipients: [{scene.Recipient}], identity_file: broken.txt}}}}}}");
        var run = scene.Workspace.Run("New-SHBackup ./app.db").WithoutErrors();
        Assert.True(run.As<BackupMetadata>().Single().IsEncrypted);
        Assert.Contains("broken.txt", Assert.Single(run.Warnings), StringComparison.Ordinal);
        Assert.Equal(
            BackupErrorId.IdentityMissing, Assert.Single(scene.Run("Get-SHBackup | Test-SHBackup 3>$null").Errors).FullyQualifiedErrorId.Split(',')[0]);
    }

    [Fact]
    public void A_restore_of_an_encrypted_file_by_its_path_keeps_what_it_overwrites_encrypted()
    {
        using var scene = new EncryptedScene();
        var plain = scene.Workspace.MakeBackup();
        Tool.Require("age").Run("-r", scene.Recipient, "-o", scene.Workspace["by hand.age"], plain.BackupPath).EnsureSuccess();
        scene.Workspace.Run("Restore-SHBackup -LiteralPath './by hand.age' ./app.db -Force -IdentityFile ./key.txt").WithoutErrors();
        Assert.True(scene.Workspace.Run("Get-SHBackup | Where-Object IsSafety").As<BackupMetadata>().Single().IsEncrypted);
    }

    [Fact]
    public void With_a_key_what_is_removed_is_folded_and_stays_encrypted_to_the_same_keys()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(4);
        scene.Workspace.Run($"Remove-SHBackup {chain[0].Id} -Force").WithoutErrors();
        Assert.True(File.Exists(chain[0].BackupPath), "it is retired");

        scene.Workspace.Run($"Remove-SHBackup {chain[1].Id} -Force -IdentityFile ./key.txt").WithoutErrors();

        var left = scene.Workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>();
        Assert.Equal([chain[3].Id, chain[2].Id], left.Select(backup => backup.Id));
        Assert.Equal([BackupType.Incremental, BackupType.Full], left.Select(backup => backup.Type));
        Assert.All(left, backup => Assert.Equal((true, scene.Recipient), (backup.IsEncrypted, Assert.Single(backup.Recipients))));
        Assert.Equal(2, Directory.EnumerateFiles(scene.Workspace.Backups, "*.age").Count());
        foreach (var backup in chain.Skip(2))
        {
            scene.Workspace.Run($"Restore-SHBackup {backup.Id} ./out-{backup.Depth}.db -Force -IdentityFile ./key.txt").WithoutErrors();
            Assert.Equal(backup.Checksum, ImageHash.Of(scene.Workspace[$"out-{backup.Depth}.db"]));
        }

        Tool.Require("age").Run("-d", "-i", scene.Key, "-o", scene.Workspace["folded.zst"], left[1].BackupPath).EnsureSuccess();
    }

    [Fact]
    public void What_was_encrypted_is_not_folded_into_a_plain_file()
    {
        using var scene = new EncryptedScene();
        var (encrypted, plain) = scene.MakeMixedChain();
        Assert.False(plain.IsEncrypted);
        scene.Workspace.Run($"Remove-SHBackup {encrypted.Id} -Force -IdentityFile ./key.txt").WithoutErrors();
        var folded = scene.Workspace.Run("Get-SHBackup").As<BackupMetadata>().Single();
        Assert.Equal((plain.Id, true, BackupType.Full), (folded.Id, folded.IsEncrypted, folded.Type));
        Assert.StartsWith("age-encryption.org/v1", Encoding.Latin1.GetString(File.ReadAllBytes(folded.BackupPath)), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_keys_open_a_backup_that_was_protected_anew_and_the_content_is_not_touched()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(2);
        var other = scene.Workspace.Run("New-SHBackupKey ./other.txt").WithoutErrors().As<BackupKey>().Single();
        var before = File.ReadAllBytes(chain[0].BackupPath);
        var rewrapped = scene.Workspace.Run($"Get-SHBackup | Protect-SHBackup -Recipient {other.Recipient} -IdentityFile ./key.txt")
            .WithoutErrors().As<BackupMetadata>();

        Assert.Equal(2, rewrapped.Count);
        Assert.All(rewrapped, backup => Assert.Equal(other.Recipient, Assert.Single(backup.Recipients)));
        Assert.Equal(before[^1000..], File.ReadAllBytes(scene.Workspace.FileOf(chain[0].Id))[^1000..]);
        Assert.Equal(2, Directory.EnumerateFiles(scene.Workspace.Backups, "*.age").Count());
        Assert.Equal(
            BackupErrorId.IdentityWrong,
            Assert.Single(scene.Run($"Test-SHBackup {chain[1].Id} -IdentityFile ./key.txt").Errors).FullyQualifiedErrorId.Split(',')[0]);
        Assert.All(
            scene.Workspace.Run("Get-SHBackup | Test-SHBackup -IdentityFile ./other.txt").WithoutErrors().As<BackupMetadata>(),
            backup => Assert.True(backup.Verified));
        Assert.Empty(scene.Run("Get-SHBackup | Test-SHBackup -Level Quick").Errors);
    }

    [Fact]
    public void A_configured_recipient_encrypts_and_a_configured_key_restores()
    {
        using var scene = new EncryptedScene();
        scene.Workspace.Configure($"""
            app:
              database_path: "{scene.Workspace.Database.Replace("\\", "\\\\", StringComparison.Ordinal)}"
              backup:
                backup_dir: backups
                encryption:
                  recipients: ["{scene.Recipient}"]
                  identity_file: key.txt
            """);
        scene.Workspace.Run("New-SHBackup | Restore-SHBackup -Destination ./out.db -Force").WithoutErrors();
        Assert.All(scene.Workspace.Run("Get-SHBackup").As<BackupMetadata>(), backup => Assert.True(backup.IsEncrypted));

        // The safety backup of an overwritten database is encrypted as well.
        scene.Workspace.Run("Get-SHBackup -Newest 1 | Restore-SHBackup -Destination ./out.db -Force").WithoutErrors();
        Assert.True(scene.Workspace.Run("Get-SHBackup | Where-Object IsSafety").As<BackupMetadata>().Single().IsEncrypted);
        Assert.DoesNotContain(scene.Workspace.BackupFiles, file => file.EndsWith(".zst", StringComparison.Ordinal));
    }

    [Fact]
    public void Encryption_that_is_asked_for_and_cannot_be_makes_no_backup()
    {
        using var scene = new EncryptedScene();
        foreach (var parameters in new[]
        {
            "-Recipient age1mistyped", $"-Recipient {scene.Recipient} -Passphrase {Words}", "-Passphrase ([securestring]::new())",
        })
        {
            Assert.Single(scene.Run($"New-SHBackup ./app.db {parameters}").Errors);
        }

        scene.Workspace.Configure("app: {backup: {backup_dir: backups, encryption: {recipients: [age1mistyped]}}}");
        Assert.Single(scene.Run("New-SHBackup ./app.db").Errors);
        Assert.Empty(Directory.EnumerateFiles(scene.Workspace.Backups, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_file_that_age_has_made_restores_by_its_path()
    {
        using var scene = new EncryptedScene();
        var plain = scene.Workspace.MakeBackup();
        Tool.Require("age").Run("-r", scene.Recipient, "-o", scene.Workspace["by hand.age"], plain.BackupPath).EnsureSuccess();
        scene.Workspace.Run("Restore-SHBackup -LiteralPath './by hand.age' ./out.db -Force -IdentityFile ./key.txt").WithoutErrors();
        Assert.Equal(plain.Checksum, ImageHash.Of(scene.Workspace["out.db"]));
    }

    [Theory]
    [InlineData("", "-Recipient $one", "is not encrypted, and the new backup will be encrypted to age1")]
    [InlineData("-Recipient $one", "", "is encrypted to age1*, and the new backup will not be")]
    [InlineData("-Recipient $one", "-Recipient $two", "is encrypted to age1*, and the new backup will be encrypted to age1")]
    [InlineData("-Recipient $one", "-Recipient $one, $two", "is encrypted to age1*, and the new backup will be encrypted to age1* and age1")]
    [InlineData("-Recipient $one, $two", "-Recipient $two", "is encrypted to age1* and age1*, and the new backup will be encrypted to age1")]
    [InlineData("-Recipient $one", "-Passphrase $words", "is encrypted to age1*, and the new backup will be encrypted with a passphrase")]
    [InlineData("-Passphrase $words", "-Recipient $one", "is encrypted with a passphrase, and the new backup will be encrypted to age1")]
    [InlineData("-Passphrase $words", "-Passphrase $others", "is encrypted with another passphrase than the new backup")]
    public void Nothing_is_built_on_a_backup_that_others_can_open_than_are_to_open_the_new_one(string before, string after, string reason)
    {
        using var scene = new EncryptedScene();
        scene.Workspace.Change();
        scene.RunWithKeys($"New-SHBackup ./app.db {before}").WithoutErrors();
        foreach (var type in after.Contains("words", StringComparison.Ordinal) || before.Contains("words", StringComparison.Ordinal)
            ? ["Auto"]
            : (string[])["Auto", "Incremental", "Wal"])
        {
            scene.Workspace.Change();
            var run = scene.RunWithKeys($"New-SHBackup ./app.db -Type {type} {after}").WithoutErrors();
            var full = run.As<BackupMetadata>().Single();
            Assert.Equal((BackupType.Full, null), (full.Type, full.ParentId));
            Assert.Matches(Regex.Escape(reason).Replace("\\*", "[0-9a-z]+", StringComparison.Ordinal), Assert.Single(run.Warnings));
            Assert.EndsWith((string)full.Metadata["full_reason"]! + ".", Assert.Single(run.Warnings), StringComparison.Ordinal);

            // The next one continues from there, without a warning.
            scene.Workspace.Change();
            var next = scene.RunWithKeys($"New-SHBackup ./app.db -Type {type} {after}").WithoutErrors();
            Assert.Equal(full.Id, next.As<BackupMetadata>().Single().ParentId);
            Assert.Empty(next.Warnings);
            scene.RunWithKeys($"Remove-SHBackup {full.Id}, {next.As<BackupMetadata>().Single().Id} -Cascade -Force").WithoutErrors();
        }
    }

    [Fact]
    public void The_same_keys_in_another_order_and_a_chain_that_was_encrypted_to_them_since_are_built_on()
    {
        using var scene = new EncryptedScene();
        scene.Workspace.Change();
        scene.RunWithKeys("New-SHBackup ./app.db -Recipient $one, $two").WithoutErrors();
        scene.Workspace.Change();
        Assert.Equal(
            BackupType.Incremental,
            scene.RunWithKeys("New-SHBackup ./app.db -Type Auto -Recipient $two, $one").WithoutErrors().As<BackupMetadata>().Single().Type);

        scene.RunWithKeys("Get-SHBackup | Protect-SHBackup -Recipient $three -IdentityFile ./key.txt").WithoutErrors();
        scene.Workspace.Change();
        var run = scene.RunWithKeys("New-SHBackup ./app.db -Type Auto -Recipient $three").WithoutErrors();
        Assert.Equal((BackupType.Incremental, 2), (run.As<BackupMetadata>().Single().Type, run.As<BackupMetadata>().Single().Depth!.Value));
        Assert.Empty(run.Warnings);
    }

    [Fact]
    public void Every_link_of_a_chain_counts_also_where_it_was_encrypted_to_others_afterwards()
    {
        using var scene = new EncryptedScene();
        var chain = scene.MakeChain(2);
        scene.RunWithKeys($"Protect-SHBackup {chain[0].Id} -Recipient $two -IdentityFile ./key.txt").WithoutErrors();
        scene.Workspace.Change();
        var run = scene.Workspace.Run($"New-SHBackup ./app.db -Type Incremental -Recipient {scene.Recipient}").WithoutErrors();
        Assert.Equal(BackupType.Full, run.As<BackupMetadata>().Single().Type);
        Assert.Contains($"'{chain[1].Id}', builds on '{chain[0].Id}', which is encrypted to age1", Assert.Single(run.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plain_increment_that_an_earlier_version_put_on_an_encrypted_backup_is_built_on_no_more()
    {
        using var scene = new EncryptedScene();
        var (encrypted, plain) = scene.MakeMixedChain();
        scene.Workspace.Change();
        var run = scene.Workspace.Run("New-SHBackup ./app.db -Type Auto").WithoutErrors();
        Assert.Equal(BackupType.Full, run.As<BackupMetadata>().Single().Type);
        Assert.Contains(
            $"'{plain.Id}', builds on '{encrypted.Id}', which is encrypted to {scene.Recipient}, and the new backup will not be", Assert.Single(run.Warnings),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_parent_that_was_named_and_that_others_can_open_is_an_error()
    {
        using var scene = new EncryptedScene();
        scene.Workspace.Change();
        var parent = scene.MakeFull();
        var error = Assert.Single(scene.Run($"New-SHBackup ./app.db -Type Incremental -Parent {parent}").Errors);
        Assert.Equal((BackupErrorId.ParentUnusable, parent), (error.FullyQualifiedErrorId.Split(',')[0], error.TargetObject));
        Assert.Contains("and the new backup will not be", error.Exception.Message, StringComparison.Ordinal);
    }

    /// <summary>A workspace with a key in it.</summary>
    private sealed class EncryptedScene : IDisposable
    {
        private string[] keys = [];

        public EncryptedScene() => Recipient = Workspace.Run("New-SHBackupKey ./key.txt").WithoutErrors().As<BackupKey>().Single().Recipient;

        public Workspace Workspace { get; } = new();

        public string Recipient { get; }

        public string Key => Workspace["key.txt"];

        /// <summary>Runs a script that may make secure strings of words.</summary>
        public SessionResult Run(string script) => Workspace.Run(
            "function ConvertTo-Secret($words) { $secret = [securestring]::new(); $words.ToCharArray().ForEach({ $secret.AppendChar($_) }); $secret }\n"
                + script);

        /// <summary>Runs a script that may use three public keys, of which only the first has its secret key here, and two passphrases.</summary>
        public SessionResult RunWithKeys(string script)
        {
            if (keys.Length == 0)
            {
                keys =
                [
                    Recipient,
                    .. Workspace.Run("New-SHBackupKey ./second.txt; New-SHBackupKey ./third.txt").WithoutErrors().As<BackupKey>().Select(key => key.Recipient),
                ];
            }

            return Run($"$one, $two, $three = '{string.Join("', '", keys)}'; $words, $others = {Words}, (ConvertTo-Secret 'battery staple'); {script}");
        }

        /// <summary>Makes a full backup and increments on it.</summary>
        public IReadOnlyList<BackupMetadata> MakeChain(int length) => [.. Enumerable.Range(0, length).Select(_ =>
        {
            Workspace.Change();
            return Workspace.MakeBackup($"-Type Incremental -Recipient {Recipient}");
        })];

        /// <summary>Makes a chain that an earlier version could have made: a plain increment on an encrypted backup.</summary>
        public (BackupMetadata Encrypted, BackupMetadata Plain) MakeMixedChain()
        {
            Workspace.Change();
            var full = Workspace.MakeBackup();
            Workspace.Change();
            var plain = Workspace.MakeBackup("-Type Incremental");
            var file = full.BackupPath + ".age";
            Tool.Require("age").Run("-r", Recipient, "-o", file, full.BackupPath).EnsureSuccess();
            File.Delete(full.BackupPath);
            Workspace.EditSidecar(full.Id, sidecar =>
            {
                (sidecar["backup_path"], sidecar["size_bytes"]) = (file, new FileInfo(file).Length);
                sidecar["stored_checksum"] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
                sidecar["recipients"] = new System.Text.Json.Nodes.JsonArray(Recipient);
            });
            return (full, plain);
        }

        /// <summary>Makes a full backup.</summary>
        public string MakeFull() => Workspace.MakeBackup($"-Recipient {Recipient}").Id;

        public void Dispose() => Workspace.Dispose();
    }
}
