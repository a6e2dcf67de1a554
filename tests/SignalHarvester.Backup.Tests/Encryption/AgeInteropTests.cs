using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>What is encrypted here, Debian's age decrypts, and the other way round.</summary>
public sealed class AgeInteropTests : IDisposable
{
    private readonly AgeFiles _files = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((64 << 10) - 1)]
    [InlineData(64 << 10)]
    [InlineData((64 << 10) + 1)]
    [InlineData(100 << 20)]
    public void A_key_opens_either_s_files(int length)
    {
        Tool age = Tool.Require("age");
        byte[] content = RandomNumberGenerator.GetBytes(length);
        string ours = _files.Encrypt("ours.age", content, BackupEncryption.To([_files.Recipient]));
        age.Run("-d", "-i", _files.KeyFile, "-o", _files["plain"], ours).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(Decrypted()));

        File.WriteAllBytes(_files["in"], content);
        age.Run("-r", _files.Recipient, "-o", _files["theirs.age"], _files["in"]).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(AgeFiles.Decrypt(_files["theirs.age"], _files.Ring)));
    }

    [Fact]
    public void A_key_that_age_has_made_opens_files_and_so_does_each_of_several()
    {
        Tool.Require("age-keygen").Run("-o", _files["theirs.txt"]).EnsureSuccess();
        string theirs = File.ReadLines(_files["theirs.txt"]).Single(line => line.StartsWith("# public key: ", StringComparison.Ordinal))[14..];
        byte[] content = RandomNumberGenerator.GetBytes(1000);
        string path = _files.Encrypt("both.age", content, BackupEncryption.To([_files.Recipient, theirs]));
        foreach (string key in (string[])[_files.KeyFile, _files["theirs.txt"]])
        {
            Tool.Require("age").Run("-d", "-i", key, "-o", _files["plain"], path).EnsureSuccess();
            Assert.Equal(content, File.ReadAllBytes(_files["plain"]));
            Assert.Equal(content, AgeFiles.Decrypt(path, IdentityRing.Empty.WithFile(key, TestContext.Current.CancellationToken)));
        }

        // What age-keygen reads as a key of its own, it shows the public half of.
        Assert.Equal(_files.Recipient, Tool.Require("age-keygen").Run("-y", _files.KeyFile).EnsureSuccess().Output.Trim());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((64 << 10) + 1)]
    public void A_passphrase_opens_either_s_files(int length)
    {
        // age asks on a terminal, which script makes; a question is there before the answer is read.
        Tool script = Tool.Require("script");
        Tool.Require("age");
        const string Words = "korrekt pferd Ωhm";
        byte[] content = RandomNumberGenerator.GetBytes(length);
        string ours = _files.Encrypt("ours.age", content, BackupEncryption.With(Words));
        File.WriteAllBytes(_files["in"], content);
        string asked = $"{Words}\n{Words}\n";
        script.RunWithInput(asked, "-qec", $"age -d -o '{_files["plain"]}' '{ours}'", "/dev/null");
        Assert.Equal(content, Decrypted());

        script.RunWithInput(asked, "-qec", $"age -p -o '{_files["theirs.age"]}' '{_files["in"]}'", "/dev/null");
        Assert.Equal(content, AgeFiles.Decrypt(_files["theirs.age"], IdentityRing.Empty.WithPassphrase(Words)));
    }

    public void Dispose() => _files.Dispose();

    /// <summary>What age has written; it makes no file for no content.</summary>
    private byte[] Decrypted() => File.Exists(_files["plain"]) ? File.ReadAllBytes(_files["plain"]) : [];
}
