using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>The published test vectors of the age format (https://c2sp.org/CCTV/age), from the npm package cctv-age.</summary>
public sealed partial class AgeVectorTests
{
    private const string Asset = "cctv-age-0.2.0.js";

    [Fact]
    public void Every_published_vector_ends_as_it_should()
    {
        var path = Path.Combine(TestAssets.Folder, Asset);
        Assert.SkipUnless(File.Exists(path), $"'{Asset}' is not there (tests/run.sh fetches it from npm)");
        var wrong = new List<string>();
        var tried = 0;
        foreach (Match vector in VectorPattern().Matches(File.ReadAllText(path)))
        {
            var bytes = Convert.FromBase64String(vector.Groups["content"].Value);
            var end = bytes.AsSpan().IndexOf("\n\n"u8);
            var facts = Encoding.UTF8.GetString(bytes, 0, end)
                .Split('\n')
                .Select(line => line.Split(": ", 2))
                .ToLookup(line => line[0], line => line[1], StringComparer.Ordinal);
            if (facts.Contains("armored") || facts["identity"].Any(identity => !identity.StartsWith("AGE-SECRET-KEY-1", StringComparison.Ordinal)))
            {
                // The text form, and kinds of keys that v1 does not have.
                continue;
            }

            tried++;
            var content = facts.Contains("compressed") ? Inflate(bytes[(end + 2)..]) : bytes[(end + 2)..];
            var found = Try(content, facts, out var hash);
            var expected = facts["expect"].Single();
            if (found != expected && !(found == "damage" && expected is "header failure" or "payload failure" or "HMAC failure"))
            {
                wrong.Add($"{vector.Groups["name"].Value}: {expected} expected, {found}");
            }
            else if (expected == "success" && facts["payload"].Single() != hash)
            {
                wrong.Add($"{vector.Groups["name"].Value}: another content");
            }
        }

        Assert.Empty(wrong);
        Assert.True(tried >= 80, $"only {tried} vectors were tried");
    }

    private static string Try(byte[] content, ILookup<string, string> facts, out string hash)
    {
        hash = "";
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["vector.age"], content);
        var ring = IdentityRing.Empty;
        if (facts.Contains("identity"))
        {
            File.WriteAllLines(folder["keys"], facts["identity"]);
            ring = ring.WithFile(folder["keys"], TestContext.Current.CancellationToken);
        }

        foreach (var passphrase in facts["passphrase"])
        {
            ring = ring.WithPassphrase(passphrase);
        }

        try
        {
            hash = Convert.ToHexStringLower(SHA256.HashData(AgeFiles.Decrypt(folder["vector.age"], ring)));
            return "success";
        }
        catch (InvalidDataException)
        {
            return "damage";
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.IdentityWrong)
        {
            return "no match";
        }
    }

    private static byte[] Inflate(byte[] bytes)
    {
        using var inflated = new MemoryStream();
        using var zlib = new ZLibStream(new MemoryStream(bytes), CompressionMode.Decompress);
        zlib.CopyTo(inflated);
        return inflated.ToArray();
    }

    [GeneratedRegex("// \\.\\./testdata/(?<name>\\S+)\\nvar \\S+ = __toBinary\\(\"(?<content>[^\"]*)\"\\)", RegexOptions.ExplicitCapture)]
    private static partial Regex VectorPattern();
}
