Describe 'Get-SHBackupHistory' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $backup = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'shows what was done, newest first' {
        $backup | Test-SHBackup | Out-Null
        (Get-SHBackupHistory).Operation | Should -Be 'Verify', 'Create'
        (Get-SHBackupHistory -Newest 1).BackupId | Should -Be $backup.Id
    }

    It 'shows what failed, with the id of the error' {
        New-SHBackup ./missing.db -ErrorAction SilentlyContinue
        (Get-SHBackupHistory -Failed).ErrorId | Should -Be 'SourceNotFound'
    }

    It 'emits nothing where nothing was done' {
        New-Item -ItemType Directory ./empty | Out-Null
        Get-SHBackupHistory -BackupDirectory ./empty | Should -BeNullOrEmpty
    }
}
