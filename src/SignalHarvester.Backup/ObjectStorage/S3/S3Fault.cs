using System.Net;
using System.Xml;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>Translates S3's answers, or the lack of one, into our errors.</summary>
internal sealed class S3Fault(StoreLocation location, StoreOptions options)
{
    /// <summary>The code of an answer that leaves a condition undecided, because another request for the same object is under way.</summary>
    public const string UndecidedCode = "ConditionalRequestConflict";

    private const string RegionHeader = "x-amz-bucket-region";

    /// <summary>The errors that all providers share.</summary>
    public StoreFault Store { get; } = new(location);

    /// <summary>Returns the error for an exception of the SDK; null if it comes neither from the service nor from the network.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="action">The action.</param>
    /// <param name="name">The object concerned; null if it is none.</param>
    public BackupException? Translate(Exception exception, string action, string? name) => exception switch
    {
        AmazonUnmarshallingException or XmlException => Store.Unavailable(action, "the answer cannot be understood", exception),
        AmazonServiceException service => OfAnswer(service, action, name ?? location.Container),
        HttpRequestException or IOException or AmazonClientException => Store.Unavailable(action, exception.Message, exception),

        // The SDK itself ended a request that took too long.
        TimeoutException => Store.Unavailable(action, "no answer in time", exception),
        _ => null,
    };

    private BackupException OfAnswer(AmazonServiceException answer, string action, string name) => answer.ErrorCode switch
    {
        "NoSuchBucket" or "InvalidBucketName" => Store.ContainerNotFound(answer),
        "NoSuchKey" => Store.ObjectNotFound(name, answer),

        // A missing part has gone with its upload.
        "NoSuchUpload" or "InvalidPart" => Store.UploadLost(name, answer),
        "PreconditionFailed" => Store.ObjectExists(name, answer),
        UndecidedCode => Store.Unavailable(action, Detail(answer), answer),
        "BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch" =>
            Store.ChecksumMismatch(name, $"the received data differs from the sent data ({answer.ErrorCode})", answer),
        "RequestTimeTooSkewed" or "RequestExpired" or "RequestInTheFuture" => Store.ClockSkew(answer.ErrorCode, answer),
        "AuthorizationHeaderMalformed" or "PermanentRedirect" or "TemporaryRedirect" or "Redirect"
            or "IllegalLocationConstraintException" or "InvalidLocationConstraint" or "IncorrectEndpoint" => Store.RegionWrong(RegionOf(answer), answer),

        // Their messages could name the key; the code says enough.
        "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "ExpiredToken" or "InvalidToken" or "InvalidClientTokenId" or "TokenRefreshRequired" =>
            Store.AccessDenied(action, answer.ErrorCode, answer),
        "InvalidObjectState" => Store.Refused(action, $"'{name}' is archived and must first be restored by the service ({answer.ErrorCode})", answer),
        _ => OfStatus(answer, action, name),
    };

    private BackupException OfStatus(AmazonServiceException answer, string action, string name) => answer.StatusCode switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Store.AccessDenied(action, Detail(answer), answer),
        HttpStatusCode.PreconditionFailed => Store.ObjectExists(name, answer),
        HttpStatusCode.Moved or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => Store.RegionWrong(RegionOf(answer), answer),

        // Only this header of the answer to a HEAD shows what is wrong.
        HttpStatusCode.BadRequest when Header(answer, RegionHeader) is not null => Store.RegionWrong(RegionOf(answer), answer),

        // A 501 is permanent.
        HttpStatusCode.NotImplemented => Store.Refused(action + With(answer.ErrorCode), Detail(answer), answer),
        HttpStatusCode.RequestTimeout => Store.Unavailable(action, Detail(answer), answer),
        >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError =>
            Store.Refused(action + With(answer.ErrorCode), Detail(answer) + LockHint(answer), answer),
        _ => Store.Unavailable(action, Detail(answer), answer),
    };

    /// <summary>The options that the service may have meant: those that belong to its code, or else all.</summary>
    private string With(string? code)
    {
        var storage = options.StorageClass is { } storageClass ? $"-StorageClass {storageClass}" : null;
        var encryption = options.ServerSideEncryption is { } method
            ? $"-ServerSideEncryption {method}{(options.EncryptionKey is { } key ? $" -KmsKeyId {key}" : string.Empty)}" : null;
        var immutable = options.ImmutableFor is not null ? "-ImmutableFor" : null;
        IEnumerable<string?> named = code switch
        {
            "InvalidStorageClass" => [storage],
            "InvalidEncryptionAlgorithmError" or "ServerSideEncryptionConfigurationNotFoundError" => [encryption],
            "ObjectLockConfigurationNotFoundError" or "InvalidRetentionPeriod" => [immutable],
            { } kms when kms.StartsWith("KMS.", StringComparison.Ordinal) => [encryption],
            _ => [storage, encryption, immutable],
        };
        var given = string.Join(", ", named.OfType<string>());
        return given.Length == 0 ? string.Empty : $" with {given}";
    }

    /// <summary>For a bucket without locks, stores say only InvalidRequest.</summary>
    private string LockHint(AmazonServiceException answer) =>
        options.ImmutableFor is not null && answer.ErrorCode is "InvalidRequest" or "ObjectLockConfigurationNotFoundError"
        ? "; -ImmutableFor needs a bucket that was created with Object Lock" : string.Empty;

    private static string Detail(AmazonServiceException answer) => (answer.ErrorCode, answer.Message) switch
    {
        (null or "", _) => Status(answer),
        (var code, null or "") => code,
        var (code, message) when message.Contains(code, StringComparison.Ordinal) => message,
        var (code, message) => $"{code}: {message}",
    };

    private static string RegionOf(AmazonServiceException answer) => Header(answer, RegionHeader) ?? Detail(answer);

    private static string Status(AmazonServiceException answer) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"HTTP {(int)answer.StatusCode}");

    private static string? Header(AmazonServiceException answer, string name) =>
        (answer.InnerException as HttpErrorResponseException)?.Response?.GetHeaderValue(name) is { Length: > 0 } value ? value : null;
}
