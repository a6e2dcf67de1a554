Describe 'Get-SHBackupConfiguration' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        New-Item -ItemType Directory ./config | Out-Null
        Set-Content ./config/settings.yaml "app:`n  database_path: app.db`n  backup:`n    compression: gzip"
    }
    AfterEach {
        Remove-Item Env:SHBACKUP_COMPRESSION, Env:SHBACKUP_CONFIG -ErrorAction Ignore
        Exit-Workspace
    }

    It 'shows each setting with where it comes from' {
        $compression = Get-SHBackupConfiguration -Key app.backup.compression
        $compression.Value, $compression.Source, $compression.Line | Should -Be 'gzip', 'File', 4
        $env:SHBACKUP_COMPRESSION = 'none'
        $compression = Get-SHBackupConfiguration -Key app.backup.compression
        $compression.Value, $compression.Source, $compression.Line | Should -Be 'none', 'Environment', $null
        (Get-SHBackupConfiguration -Key *.daily_time).Source | Should -Be 'Default'
    }

    It 'is what the cmdlets do' {
        $backup = New-SHBackup -NoVerify
        $backup.DatabasePath | Should -Be (Get-SHBackupConfiguration -Key app.database_path).Value
        $backup.BackupDirectory | Should -Be (Get-SHBackupConfiguration -Key app.backup.backup_dir).Value
        $backup.Compression | Should -Be 'Gzip'
        (New-SHBackup -NoVerify -Compression None).Compression | Should -Be 'None'
    }

    It 'reads the file that SHBACKUP_CONFIG names' {
        Set-Content ./other.yaml 'app: {backup: {backup_dir: elsewhere}}'
        $env:SHBACKUP_CONFIG = './other.yaml'
        (New-SHBackup ./app.db -NoVerify).BackupDirectory | Should -Be (Convert-Path ./elsewhere)
        (New-SHBackup -NoVerify -ConfigurationPath ./config/settings.yaml).BackupDirectory | Should -Be (Convert-Path ./backups)
    }

    It 'survives JSON and Clixml' {
        $settings = Get-SHBackupConfiguration
        ($settings | ConvertTo-Json | ConvertFrom-Json).Key | Should -Be $settings.Key
        $settings | Export-Clixml ./settings.xml
        Import-Clixml ./settings.xml | Should -BeOfType SignalHarvester.Backup.ConfigurationSetting
    }
}
