using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>A service account and the token endpoint of its key file: it checks a client's signature, and issues tokens.</summary>
internal sealed class FakeGoogleTokens : IDisposable
{
    public const string Email = "backup@fake-project.iam.gserviceaccount.com";
    public const string Project = "fake-project";

    // Made once: that takes a fifth of a second of a processor, and hundreds of tests have a server of their own.
    private static readonly Lazy<string> MadeKey = new(() =>
    {
        using var made = RSA.Create(2048);
        return made.ExportPkcs8PrivateKeyPem();
    });

    private readonly RSA key = RSA.Create();
    private readonly HashSet<string> valid = [];

    public FakeGoogleTokens() => key.ImportFromPem(PrivateKey);

    /// <summary>The number of issued tokens.</summary>
    public int Given { get; private set; }

    /// <summary>The error that answers requests for a token; null for a token.</summary>
    public (int Status, string Error, string Description)? Refusal { get; set; }

    /// <summary>Whether the issued tokens are useless.</summary>
    public bool AreUseless { get; set; }

    /// <summary>The private key in the form of the file, which nobody may ever see.</summary>
    public string PrivateKey { get; } = MadeKey.Value;

    /// <summary>The last issued token.</summary>
    public string? Last { get; private set; }

    public void Expire() => valid.Clear();

    public bool Accepts(string? authorization) => authorization is ['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var token] && valid.Contains(token);

    public void WriteKeyFile(string path, Uri server) => File.WriteAllText(path, new JsonObject
    {
        ["type"] = "service_account",
        ["project_id"] = Project,
        ["private_key_id"] = "0123456789abcdef",
        ["private_key"] = PrivateKey,
        ["client_email"] = Email,
        ["client_id"] = "123456789",
        ["token_uri"] = new Uri(server, "/token").AbsoluteUri,
    }.ToJsonString());

    public FakeGcsAnswer Answer(byte[] form)
    {
        if (Refusal is { } refusal)
        {
            return Refused(refusal.Status, refusal.Error, refusal.Description);
        }

        var fields = Encoding.UTF8.GetString(form)
            .Split('&')
            .Select(field => field.Split('=', 2))
            .ToDictionary(field => field[0], field => Uri.UnescapeDataString(field[1]));
        if (fields.GetValueOrDefault("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer"
            || fields.GetValueOrDefault("assertion")?.Split('.') is not [var header, var claims, var signature])
        {
            return Refused(400, "unsupported_grant_type", "Invalid grant_type.");
        }

        if (!key.VerifyData(Encoding.ASCII.GetBytes($"{header}.{claims}"), Bytes(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
        {
            return Refused(400, "invalid_grant", "Invalid JWT Signature.");
        }

        var said = JsonNode.Parse(Bytes(claims))!;
        if ((string?)said["iss"] != Email || (string?)said["scope"] != "https://www.googleapis.com/auth/devstorage.read_write")
        {
            return Refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
        }

        Given++;
        Last = $"ya29.fake-{Guid.NewGuid():N}";
        if (!AreUseless)
        {
            valid.Add(Last);
        }

        return FakeGcsAnswer.Json(new JsonObject { ["access_token"] = Last, ["expires_in"] = 3599, ["token_type"] = "Bearer" });
    }

    public void Dispose() => key.Dispose();

    private static FakeGcsAnswer Refused(int status, string error, string description) =>
        FakeGcsAnswer.Json(new JsonObject { ["error"] = error, ["error_description"] = description }, status);

    private static byte[] Bytes(string base64Url) =>
        Convert.FromBase64String(base64Url.Replace('-', '+').Replace('_', '/').PadRight((base64Url.Length + 3) / 4 * 4, '='));
}
