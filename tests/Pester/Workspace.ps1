<#
.SYNOPSIS
Makes a folder with app.db (20 rows) and makes it the current location. Dot-source this in BeforeAll.
#>
function Enter-Workspace {
    $script:Workspace = New-Item -ItemType Directory -Path (Join-Path 'TestDrive:' ([guid]::NewGuid()))
    $packed = [convert]::FromBase64String(
        'H4sIAAAAAAACA+3RL0zDQBTH8fu1Y9wDRvmzZME9CQmQtfvXKRhL3UICzCALO0gDW0lzCQyPx+PRaAwGjUaj0Wi6cGcwGBx8cy/5vOS5O9jrJVrxSZoNY8014QhAbDMLkfNrbMin8G3/KUdsHqM0OcaTyN9/v9sWihXPQ6rjo3OltdPdjzr9iPudnV7EejUZcDLS6lRlfJElwzgb85kar/MoHirW6kqvTf6mjA2BD7zjDa94wTMe8YB73OEWN7hGigEOsYsuwvzwL0dlV6xk6SUHVVo29Nu0ZBnSomWLFiyb5Fk2aN6yTiXLGs1ZBjRr6dOMZVWSKyoTtqU0CuW0UUsWjZpyyqghC0Z16RrVpGMUSBj5ny37Bm8ABAAA')
    $unpacked = [System.IO.Compression.GZipStream]::new([System.IO.MemoryStream]::new($packed), 'Decompress')
    $content = [System.IO.MemoryStream]::new()
    $unpacked.CopyTo($content)
    [System.IO.File]::WriteAllBytes((Join-Path (Convert-Path $script:Workspace) 'app.db'), $content.ToArray())
    Push-Location (Convert-Path $script:Workspace)
}

<#
.SYNOPSIS
Goes back to where the tests were started.
#>
function Exit-Workspace {
    Pop-Location
}

<#
.SYNOPSIS
Makes a backup and gives it another age.
#>
function New-AgedBackup([timespan] $Age, [hashtable] $Change = @{}) {
    $backup = New-SHBackup ./app.db -NoVerify
    $path = Join-Path $backup.BackupDirectory "$($backup.Id).json"
    $sidecar = Get-Content -LiteralPath $path -Raw | ConvertFrom-Json -AsHashtable -DateKind String
    $sidecar.timestamp = [datetime]::UtcNow.Subtract($Age).ToString('o')
    foreach ($name in $Change.Keys) { $sidecar[$name] = $Change[$name] }
    $sidecar | ConvertTo-Json -Depth 9 | Set-Content -LiteralPath $path
    $backup.Id
}
