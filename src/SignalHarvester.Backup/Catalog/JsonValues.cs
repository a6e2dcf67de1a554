using System.Globalization;
using System.Text.Json;

namespace SignalHarvester.Backup.Catalog;

/// <summary>Reads an item of a list or a map, on whose value the reader stands.</summary>
internal delegate T ReadItem<out T>(ref Utf8JsonReader json);

/// <summary>JSON values that are no objects with known fields: lists, maps, and values of any kind.</summary>
internal static class JsonValues
{
    /// <summary>Reads a list.</summary>
    public static T[] ReadList<T>(ref Utf8JsonReader json, ReadItem<T> read)
    {
        Require(ref json, JsonTokenType.StartArray, "a list");
        var items = new List<T>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            items.Add(read(ref json));
        }

        return [.. items];
    }

    /// <summary>Reads a list of texts.</summary>
    public static string?[] ReadTexts(ref Utf8JsonReader json) => ReadList<string?>(ref json, (ref json) => json.GetString());

    /// <summary>Reads a list of objects.</summary>
    public static T?[] ReadObjects<T>(ref Utf8JsonReader json, JsonShape<T> shape)
        where T : class => ReadList<T?>(ref json, (ref json) => shape.Read(ref json));

    /// <summary>Reads a map.</summary>
    /// <exception cref="JsonException">It is no map, or a name is there twice.</exception>
    public static Dictionary<string, T> ReadMap<T>(ref Utf8JsonReader json, ReadItem<T> read)
    {
        Require(ref json, JsonTokenType.StartObject, "a map");
        var map = new Dictionary<string, T>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            _ = json.Read();
            if (!map.TryAdd(name, read(ref json)))
            {
                throw new JsonException($"'{name}' is there twice");
            }
        }

        return map;
    }

    /// <summary>Reads a value of any kind: null, bool, long, double, string, array or map.</summary>
    public static object? ReadAny(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.StartObject => ReadMap<object?>(ref json, ReadAny),
        JsonTokenType.StartArray => ReadList<object?>(ref json, ReadAny),
        JsonTokenType.String => json.GetString(),
        JsonTokenType.Number => json.TryGetInt64(out var number) ? (object)number : json.GetDouble(),
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => null,
    };

    /// <summary>A moment as JSON has it, in UTC.</summary>
    public static string Iso(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);

    /// <summary>Writes a value of any kind; one that JSON does not know as its text.</summary>
    public static void WriteAny(this Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case sbyte or byte or short or ushort or int or uint or long:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case float or double or decimal or ulong when Convert.ToDouble(value, CultureInfo.InvariantCulture) is var number && double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case IReadOnlyDictionary<string, object?> map:
                json.WriteAnyMap(map.Select(entry => (entry.Key, entry.Value)));
                break;
            case System.Collections.IDictionary map:
                json.WriteAnyMap(map.Cast<System.Collections.DictionaryEntry>()
                    .Select(entry => (Convert.ToString(entry.Key, CultureInfo.InvariantCulture)!, entry.Value)));
                break;
            case System.Collections.IEnumerable list and not string:
                json.WriteStartArray();
                foreach (var item in list)
                {
                    json.WriteAny(item);
                }

                json.WriteEndArray();
                break;
            case DateTime moment:
                json.WriteStringValue(Iso(moment));
                break;
            case DateTimeOffset moment:
                json.WriteStringValue(Iso(moment));
                break;
            default:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    public static void WriteValue(this Utf8JsonWriter json, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    public static void WriteValue(this Utf8JsonWriter json, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    public static void WriteValue(this Utf8JsonWriter json, bool? value)
    {
        if (value is { } flag)
        {
            json.WriteBooleanValue(flag);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>Writes a list, or null.</summary>
    public static void WriteList<T>(this Utf8JsonWriter json, T[]? items, Action<T> write)
    {
        if (items is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        Array.ForEach(items, write);
        json.WriteEndArray();
    }

    /// <summary>Writes a list of texts, or null.</summary>
    public static void WriteTexts(this Utf8JsonWriter json, string?[]? texts) => json.WriteList(texts, json.WriteStringValue);

    /// <summary>Writes a list of objects, or null.</summary>
    public static void WriteObjects<T>(this Utf8JsonWriter json, T?[]? items, JsonShape<T> shape)
        where T : class => json.WriteList(items, item => shape.Write(json, item));

    /// <summary>Writes a map, or null.</summary>
    public static void WriteMap<T>(this Utf8JsonWriter json, IReadOnlyDictionary<string, T>? entries, Action<T> write)
    {
        if (entries is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        foreach (var (name, value) in entries)
        {
            json.WritePropertyName(name);
            write(value);
        }

        json.WriteEndObject();
    }

    private static void WriteAnyMap(this Utf8JsonWriter json, IEnumerable<(string Name, object? Value)> entries)
    {
        json.WriteStartObject();
        foreach (var (name, value) in entries)
        {
            json.WritePropertyName(name);
            json.WriteAny(value);
        }

        json.WriteEndObject();
    }

    private static void Require(ref Utf8JsonReader json, JsonTokenType token, string kind)
    {
        if (json.TokenType != token)
        {
            throw new JsonException($"it is not {kind}");
        }
    }
}
