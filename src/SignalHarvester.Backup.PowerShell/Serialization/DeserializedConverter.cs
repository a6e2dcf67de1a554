using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;

namespace SignalHarvester.Backup.PowerShell.Serialization;

/// <summary>
/// Restores live objects such as <see cref="BackupMetadata"/>, <see cref="RetentionDecision"/> and <see cref="BackupSchedule"/>
/// from the property bags that a job, a remote session or Import-Clixml leaves, so that they can be compared by Age and piped to
/// the other cmdlets. Types.ps1xml registers it.
/// </summary>
public sealed class DeserializedConverter : PSTypeConverter
{
    private static readonly Dictionary<Type, PropertyInfo[]> Settable =
        new[]
        {
            typeof(BackupDifference), typeof(BackupEvent), typeof(BackupHealth), typeof(BackupMetadata), typeof(BackupRestoreResult),
            typeof(BackupSchedule), typeof(BackupScrubResult), typeof(BackupTestResult), typeof(BackupTransaction), typeof(BackupTransferResult),
            typeof(ConfigurationProblem), typeof(ConfigurationSetting),
            typeof(RestoreDrill), typeof(RestoredRows), typeof(RetentionDecision), typeof(ScheduleRun),
        }.ToDictionary(type => type, SettableOf);

    /// <summary>Whether the value is such a property bag. Everything else is converted as if this class did not exist.</summary>
    /// <param name="sourceValue">The value.</param>
    /// <param name="destinationType">The target type.</param>
    public override bool CanConvertFrom(object sourceValue, Type destinationType) =>
        Settable.ContainsKey(destinationType)
        && sourceValue is PSObject bag
        && bag.TypeNames.Contains("Deserialized." + destinationType.FullName, StringComparer.Ordinal);

    /// <summary>Makes the object.</summary>
    /// <param name="sourceValue">The property bag.</param>
    /// <param name="destinationType">The target type.</param>
    /// <param name="formatProvider">Not used: values are read culture-invariantly.</param>
    /// <param name="ignoreCase">Not used.</param>
    /// <exception cref="PSInvalidCastException">A property is missing or unusable; PowerShell then keeps the bag.</exception>
    public override object ConvertFrom(object sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase)
    {
        return ReadObject((PSObject)sourceValue, destinationType, Settable[destinationType]);
    }

    /// <summary>Nothing is converted the other way.</summary>
    /// <param name="sourceValue">The value.</param>
    /// <param name="destinationType">The target type.</param>
    public override bool CanConvertTo(object sourceValue, Type destinationType) => false;

    /// <summary>Nothing is converted the other way.</summary>
    /// <param name="sourceValue">The value.</param>
    /// <param name="destinationType">The target type.</param>
    /// <param name="formatProvider">Not used.</param>
    /// <param name="ignoreCase">Not used.</param>
    /// <exception cref="PSInvalidCastException">Always.</exception>
    public override object ConvertTo(object sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase) =>
        throw new PSInvalidCastException($"{sourceValue} is not a {destinationType}.");

    private static PropertyInfo[] SettableOf(Type type) => [.. type.GetProperties().Where(property => property.CanWrite)];

    private static object ReadObject(PSObject bag, Type type, PropertyInfo[] properties)
    {
        var result = Activator.CreateInstance(type)!;
        foreach (var property in properties)
        {
            var value = (bag.Properties[property.Name] ?? throw new PSInvalidCastException($"The property {property.Name} is missing.")).Value;
            property.SetValue(result, value is null ? null : Read(value, property.PropertyType));
        }

        return result;
    }

    private static object Read(object value, Type type)
    {
        if (type == typeof(IReadOnlyList<BackupCopy>))
        {
            return Items(value).Select(copy => (BackupCopy)ReadObject(PSObject.AsPSObject(copy), typeof(BackupCopy), SettableOf(typeof(BackupCopy)))).ToList();
        }

        if (type == typeof(IReadOnlyList<ScheduleStep>))
        {
            return Items(value)
                .Select(step => (ScheduleStep)ReadObject(PSObject.AsPSObject(step), typeof(ScheduleStep), SettableOf(typeof(ScheduleStep)))).ToList();
        }

        if (type == typeof(IReadOnlyList<DrillAssertionResult>))
        {
            return Items(value).Select(
                answer => (DrillAssertionResult)ReadObject(PSObject.AsPSObject(answer), typeof(DrillAssertionResult), SettableOf(typeof(DrillAssertionResult))))
                .ToList();
        }

        if (type == typeof(StoreLocation) || type == typeof(ScheduleTrigger))
        {
            return ReadObject(PSObject.AsPSObject(value), type, SettableOf(type));
        }

        if (type == typeof(IReadOnlyList<ForeignKeyViolation>))
        {
            var settable = SettableOf(typeof(ForeignKeyViolation));
            return Items(value).Select(key => (ForeignKeyViolation)ReadObject(PSObject.AsPSObject(key), typeof(ForeignKeyViolation), settable)).ToList();
        }

        if (type == typeof(IReadOnlyList<VerificationCheck>))
        {
            return Items(value).Select(ReadCheck).ToList();
        }

        if (type == typeof(IReadOnlyList<HealthCheck>))
        {
            return Items(value).Select(ReadHealthCheck).ToList();
        }

        if (type == typeof(IReadOnlyList<string>))
        {
            return Items(value).Select(Convert<string>).ToList();
        }

        if (type == typeof(IReadOnlyDictionary<string, object>))
        {
            return Map(value, Plain);
        }

        if (type == typeof(IReadOnlyDictionary<string, long>))
        {
            return Map(value, count => Convert<long>(count!));
        }

        // A DateTimeOffset is a property bag too; its UtcDateTime is a plain value.
        return (Nullable.GetUnderlyingType(type) ?? type) == typeof(DateTimeOffset)
            ? new DateTimeOffset(Convert<DateTime>(Property(value, nameof(DateTimeOffset.UtcDateTime))))
            : LanguagePrimitives.ConvertTo(value, type, CultureInfo.InvariantCulture);
    }

    /// <summary>Returns the values of a free map without PowerShell's wrappers, at all levels.</summary>
    private static object? Plain(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) switch
    {
        IDictionary map => Map(map, Plain),
        IList list => list.Cast<object?>().Select(Plain).ToList(),
        var plain => plain,
    };

    private static VerificationCheck ReadCheck(object check) => new(
        Convert<string>(Property(check, nameof(VerificationCheck.Check))),
        Convert<bool>(Property(check, nameof(VerificationCheck.Passed))),
        Convert<string>(Property(check, nameof(VerificationCheck.Detail))));

    private static HealthCheck ReadHealthCheck(object check) => new(
        Convert<string>(Property(check, nameof(HealthCheck.Check))),
        Convert<HealthStatus>(Property(check, nameof(HealthCheck.Status))),
        Convert<string>(Property(check, nameof(HealthCheck.Reason))),
        (string?)PSObject.AsPSObject(check).Properties[nameof(HealthCheck.Command)]?.Value);

    private static object Property(object bag, string name) =>
        PSObject.AsPSObject(bag).Properties[name]?.Value ?? throw new PSInvalidCastException($"The property {name} is missing.");

    private static IEnumerable<object> Items(object value) => LanguagePrimitives.GetEnumerable(value)?.Cast<object>()
        ?? throw new PSInvalidCastException("A list was converted to something else.");

    /// <summary>Sorts a map by name: it comes as a hashtable, whose order differs in every process.</summary>
    private static SortedDictionary<string, T> Map<T>(object value, Func<object?, T> read)
    {
        var entries = PSObject.AsPSObject(value).BaseObject as IDictionary ?? throw new PSInvalidCastException("A map was converted to something else.");
        var map = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in entries)
        {
            map.Add((string)entry.Key, read(entry.Value));
        }

        return map;
    }

    private static T Convert<T>(object value) => (T)LanguagePrimitives.ConvertTo(value, typeof(T), CultureInfo.InvariantCulture);
}
